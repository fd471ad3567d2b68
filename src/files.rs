//! Files: reading with a limit, writing completely or not at all, and locks.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What can go wrong with a file. Each message names the file.
#[derive(Debug, Error)]
pub enum FileError {
    /// It does not exist.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// It was to be created, and exists.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// It is a folder.
    #[error("{} is a folder, not a file", .0.display())]
    Folder(PathBuf),
    /// It is larger than the limit.
    #[error("{} is larger than {limit} bytes, the most that is read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// Its folder does not exist, or no file can be created there.
    #[error("{} could not be written: {why}", path.display())]
    NoPlace {
        /// The file.
        path: PathBuf,
        /// What is wrong with its folder.
        why: String,
    },
    /// The operating system refuses.
    #[error("{} could not be {done}: {error}", path.display())]
    System {
        /// What was attempted: `read`, `written`, `locked`.
        done: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
}

impl FileError {
    fn system(done: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| match error.kind() {
            io::ErrorKind::NotFound if done == "read" => Self::Missing(path),
            io::ErrorKind::IsADirectory => Self::Folder(path),
            _ => Self::System { done, path, error },
        }
    }

    /// Only the kind of the error is shown: its message may name the temporary file.
    fn no_place(path: &Path, folder: &Path, error: &io::Error) -> Self {
        let shown = folder.display();
        let why = match error.kind() {
            io::ErrorKind::NotFound => format!("there is no folder {shown}"),
            kind => format!("no file can be created in the folder {shown}: {kind}"),
        };
        let path = path.to_owned();
        Self::NoPlace { path, why }
    }
}

/// Returns the bytes of a file, or of whatever can be read at a path, up to `limit`.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = File::open(path).map_err(FileError::system("read", path))?;
    let mut bytes = Vec::new();
    // The size is not queried first: a pipe has none, and a file can grow meanwhile.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(FileError::system("read", path))?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > limit) {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// Writes a file so that a reader, also after a crash, finds either the old content or the new content.
///
/// The content goes to a temporary file beside it, which then replaces it. An existing file keeps its permissions, and a symbolic
/// link stays one. Something that is not a file, such as `/dev/null` or a pipe, is written to directly.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = || FileError::system("written", path);
    let (target, old) = match fs::metadata(path) {
        Ok(old) if old.is_file() => (fs::canonicalize(path).map_err(failed())?, Some(old)),
        Ok(old) if old.is_dir() => return Err(FileError::Folder(path.to_owned())),
        Ok(_) => return write_into(path, bytes).map_err(failed()),
        Err(_) => (path.to_owned(), None),
    };
    let folder = folder_of(&target);
    let mut file = temporary(folder, old.as_ref())
        .map_err(|error| FileError::no_place(path, folder, &error))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed())?;
    file.persist(&target)
        .map_err(|persist| failed()(persist.error))?;
    // The new name survives a power failure once the folder is written, too. Some file systems can't do that on demand.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Creates a file, completely or not at all. An existing file is not changed.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = || FileError::system("written", path);
    let folder = folder_of(path);
    let mut file =
        temporary(folder, None).map_err(|error| FileError::no_place(path, folder, &error))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed())?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(persist) if persist.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(FileError::Exists(path.to_owned()))
        }
        Err(persist) => Err(failed()(persist.error)),
    }
}

fn write_into(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    file.write_all(bytes)?;
    file.flush()
}

/// Creates a temporary file with the permissions of `old`, or with those that any new file gets.
fn temporary(folder: &Path, old: Option<&Metadata>) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".xrs-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder)?;
    if let Some(old) = old {
        file.as_file().set_permissions(old.permissions())?;
    }
    Ok(file)
}

/// Returns the folder that a file is in; for a bare file name, the current folder.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Creates the folder that a file is to be in.
pub fn make_folder_of(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder_of(path)).map_err(FileError::system("given a folder", path))
}

/// A lock on a file: while it exists, nobody else holds one for the same file.
#[derive(Debug)]
pub struct Lock {
    /// Closing it releases the lock, also when the process is killed.
    _file: File,
}

/// Locks a file for a whole command. If another process holds the lock, calls `waiting` once and waits: commands on a sandbox are
/// short, and Ctrl-C ends the waiting.
///
/// The lock is on `<file>.lock`, because the file itself is replaced whenever it is written. That file is never removed, because two
/// processes could then hold a lock.
pub fn lock(path: &Path, waiting: impl FnOnce()) -> Result<Lock, FileError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    let failed = || FileError::system("locked", &beside);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside)
        .map_err(failed())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            waiting();
            file.lock().map_err(failed())?;
        }
        Err(TryLockError::Error(error)) => return Err(failed()(error)),
    }
    Ok(Lock { _file: file })
}

/// Returns true if both paths name the same file, also if it does not exist yet.
pub fn is_same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| {
        fs::canonicalize(path).ok().or_else(|| {
            let folder = fs::canonicalize(folder_of(path)).ok()?;
            Some(folder.join(path.file_name()?))
        })
    };
    a == b || whole(a).is_some_and(|a| Some(a) == whole(b))
}

/// Returns true if there is something at this path.
pub fn is_present(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

/// Returns true if others than the owner may read a file; false if that is not known.
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

    fn text(path: &Path) -> String {
        String::from_utf8(read(path, 1000).expect("readable")).expect("text")
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("plan.json");
        let message = |limit| read(&file, limit).expect_err("an error").to_string();
        assert_eq!(message(10), format!("{} does not exist", file.display()));
        write_whole(&file, b"0123456789").expect("written");
        assert_eq!(read(&file, 10).expect("it fits"), b"0123456789");
        assert_eq!(
            message(9),
            format!(
                "{} is larger than 9 bytes, the most that is read",
                file.display()
            )
        );
        let error = read(folder.path(), 10).expect_err("an error").to_string();
        assert_eq!(
            error,
            format!("{} is a folder, not a file", folder.path().display())
        );
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("results.json");
        write_whole(&file, b"old").expect("written");
        write_whole(&file, b"new").expect("written again");
        assert_eq!(text(&file), "new");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        let error =
            write_whole(&folder.path().join("none/results.json"), b"").expect_err("no such folder");
        let none = folder.path().join("none");
        assert!(
            error
                .to_string()
                .ends_with(&format!("there is no folder {}", none.display())),
            "{error}"
        );
        let error = write_whole(folder.path(), b"").expect_err("a folder");
        assert!(
            error.to_string().ends_with("is a folder, not a file"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn permissions_links_and_devices_stay_what_they_are() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.json");
        write_whole(&file, b"one").expect("written");
        assert!(!is_readable_by_others(Path::new("/dev/null")), "no file");
        fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("permissions");
        let link = folder.path().join("link.json");
        symlink(&file, &link).expect("a link");
        write_whole(&link, b"two").expect("written through the link");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(text(&file), "two");
        assert!(!is_readable_by_others(&file), "it stayed private");
        write_whole(Path::new("/dev/null"), b"x").expect("written into nothing");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("world.json");
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
