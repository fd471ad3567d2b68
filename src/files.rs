//! Reads files up to a limit, writes them completely or not at all, and locks them.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

/// What can go wrong with a file. Each message names the file.
#[derive(Debug, Error)]
pub enum FileError {
    /// It does not exist.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// It was to be created, but exists already.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// Any other error, as text.
    #[error("{} {what}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it. In the message, this follows the file's name.
        what: String,
    },
}

impl FileError {
    fn unusable(path: &Path, what: impl Into<String>) -> Self {
        let (path, what) = (path.to_owned(), what.into());
        Self::Unusable { path, what }
    }

    fn folder(path: &Path) -> Self {
        Self::unusable(path, "is a folder, not a file")
    }

    /// Returns the error for an operation that failed; `done` is its past participle: `read`, `written`, `locked`.
    fn system(done: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::NotFound if done == "read" => Self::Missing(path.to_owned()),
            io::ErrorKind::IsADirectory => Self::folder(path),
            _ => Self::unusable(path, format!("could not be {done}: {error}")),
        }
    }

    /// Returns the error of a file that can't be created in its folder.
    fn no_place(path: &Path, folder: &Path, error: &io::Error) -> Self {
        let folder = folder.display();
        // Only the kind of the error is shown: its message may name the temporary file.
        let why = match error.kind() {
            io::ErrorKind::NotFound => format!("there is no folder {folder}"),
            kind => format!("no file can be created in the folder {folder}: {kind}"),
        };
        Self::unusable(path, format!("could not be written: {why}"))
    }
}

/// Returns the bytes of a file, or of whatever can be read at a path, up to `limit`.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = File::open(path).map_err(FileError::system("read", path))?;
    let mut bytes = Vec::new();
    // The size is not queried first: a pipe has none, and a file can grow in the meantime.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(FileError::system("read", path))?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > limit) {
        let what = format!("is larger than the limit of {limit} bytes");
        return Err(FileError::unusable(path, what));
    }
    Ok(bytes)
}

/// Writes a file so that a reader finds either the old or the new content, even after a crash.
///
/// The content goes to a temporary file next to it, which then replaces it. An existing file keeps its permissions, and a symbolic
/// link remains one, even if its target does not exist yet. Only regular files are written to: opening a pipe could block forever.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = || FileError::system("written", path);
    let target = follow_links(path).map_err(failed())?;
    let old = fs::metadata(&target).ok();
    if let Some(old) = &old {
        refuse_special(path, old)?;
    }
    let file = temporary(path, &target, old.as_ref(), bytes)?;
    file.persist(&target)
        .map_err(|persist| failed()(persist.error))?;
    // The new name survives a power failure only once the folder is written too. Some file systems can't do that on demand.
    let _ = File::open(folder_of(&target)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Refuses everything but a regular file.
fn refuse_special(path: &Path, found: &Metadata) -> Result<(), FileError> {
    if found.is_dir() {
        Err(FileError::folder(path))
    } else if !found.is_file() {
        Err(FileError::unusable(path, "is not a regular file"))
    } else {
        Ok(())
    }
}

/// Returns the target of a path if it is a symbolic link, whether or not the target exists; otherwise returns the path itself.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    // The number of links that Linux follows.
    const MAX_LINKS: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = folder_of(&target).join(next),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Creates a file, completely or not at all. An existing file is not changed.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let file = temporary(path, path, None, bytes)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(persist) if persist.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(FileError::Exists(path.to_owned()))
        }
        Err(persist) => Err(FileError::system("written", path)(persist.error)),
    }
}

/// Writes a temporary file next to `target`, with the permissions of `old`, or else with those of any new file. Errors call it
/// `path`.
fn temporary(
    path: &Path,
    target: &Path,
    old: Option<&Metadata>,
    bytes: &[u8],
) -> Result<NamedTempFile, FileError> {
    let folder = folder_of(target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".xrs-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let create = || {
        let file = builder.tempfile_in(folder)?;
        if let Some(old) = old {
            file.as_file().set_permissions(old.permissions())?;
        }
        Ok(file)
    };
    let mut file = create().map_err(|error| FileError::no_place(path, folder, &error))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(FileError::system("written", path))?;
    Ok(file)
}

/// Returns the folder that a file is in; for a bare file name, the current folder.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Creates the folder for a file.
pub fn make_folder_of(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder_of(path)).map_err(FileError::system("given a folder", path))
}

/// A lock on a file; dropping it releases the lock.
pub type Lock = File;

/// Locks a file for a whole command, and returns the lock. It is exclusive until it is dropped or the process ends, even if the
/// process is killed. If another process holds the lock, this function calls `waiting` once and waits: commands on a sandbox are
/// short, and Ctrl-C ends the wait.
///
/// The lock is on the file that [`lock_path`] returns, because the file itself is replaced whenever it is written. The locked file is
/// never removed, because two processes could then hold a lock.
pub fn lock(path: &Path, waiting: impl FnOnce()) -> Result<Lock, FileError> {
    let lock_file = lock_path(path);
    let failed = || FileError::system("locked", &lock_file);
    for file in [path, &lock_file] {
        if let Ok(found) = fs::metadata(file) {
            refuse_special(file, &found)?;
        }
    }
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_file)
        .map_err(failed())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            waiting();
            file.lock().map_err(failed())?;
        }
        Err(TryLockError::Error(error)) => return Err(failed()(error)),
    }
    Ok(file)
}

/// Returns the file that is locked on behalf of a file: `<file>.lock`, no matter through which link the file is reached.
pub fn lock_path(path: &Path) -> PathBuf {
    let mut name = follow_links(path)
        .unwrap_or_else(|_| path.to_owned())
        .into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

/// Returns true if both paths name the same file, even if it does not exist yet.
pub fn is_same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| {
        let path = follow_links(path).ok()?;
        fs::canonicalize(&path).ok().or_else(|| {
            let folder = fs::canonicalize(folder_of(&path)).ok()?;
            Some(folder.join(path.file_name()?))
        })
    };
    a == b || whole(a).is_some_and(|a| Some(a) == whole(b))
}

/// Returns true if users other than the owner may read a file; false if that is unknown.
pub fn is_readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path)
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o044 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_read_up_to_a_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("results.json");
        write_whole(&file, b"old one").expect("written");
        write_whole(&file, b"new").expect("written again");
        assert_eq!(read(&file, 3).expect("it fits"), b"new");
        let error = read(&file, 2).expect_err("too large").to_string();
        let says = "results.json is larger than the limit of 2 bytes";
        assert!(error.ends_with(says), "{error}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert!(!is_readable_by_others(Path::new("/dev/null")), "no file");
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("world.json");
        // A link leads to the same lock.
        #[cfg(unix)]
        let file = {
            let link = folder.path().join("link.json");
            std::os::unix::fs::symlink("world.json", &link).expect("a link");
            assert_eq!(lock_path(&link), lock_path(&file));
            link
        };
        let held = lock(&file, || panic!("nobody holds it")).expect("the lock");
        let (asked, was_asked) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let second =
                scope.spawn(|| lock(&file, move || asked.send(()).expect("heard")).map(drop));
            was_asked.recv().expect("the second one waits");
            drop(held);
            second.join().expect("no panic").expect("the lock at last");
        });
    }
}
