//! Reads the sources: the modules, their imports, and what each line names.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Item, ItemUse, Result, Token, UseTree};

/// What the sources name, except in code that is compiled for tests only. Each path starts at the crate root: a module, followed by
/// what the module names, its own or another crate's, as in `crate::cli::std::env`.
#[derive(Default)]
pub(super) struct Sources {
    /// Each module, and the file that it is in.
    pub(super) modules: BTreeMap<String, String>,
    /// The modules that a `mod` declares.
    pub(super) declared: BTreeSet<String>,
    /// A name that a module imports, and the path that it stands for.
    imports: BTreeMap<String, String>,
    pub(super) mentions: Vec<Mention>,
}

/// A path of several segments, a called macro with its `!`, a literal, `async` or `await`.
pub(super) struct Mention {
    pub(super) module: String,
    pub(super) line: usize,
    /// The path as written, but starting at the crate root. The last segment of a glob import is `*`.
    pub(super) path: String,
}

impl Sources {
    /// Reads files, each with its path and text.
    pub(super) fn read(files: &BTreeMap<String, String>) -> Self {
        let mut sources = Self::default();
        for (file, text) in files {
            let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
            let path = path.trim_end_matches("/lib").replace('/', "::");
            let module = path.replacen("src", "crate", 1);
            sources.modules.insert(module.clone(), file.clone());
            let tokens = text.parse().expect("a source consists of tokens");
            let read = sources.read_tokens(&module, tokens);
            read.unwrap_or_else(|error| panic!("{file}: {error}"));
        }
        sources
    }

    /// Returns the path of something in the module that defines it. Follows imports and re-exports.
    pub(super) fn resolve(&self, path: &str) -> String {
        let mut path = path.to_owned();
        // Nothing is re-exported through more modules than this. An import of a crate by its bare name leads nowhere else.
        for _ in 0..8 {
            let module = self.module(&path);
            let name = path[module.len()..].split("::").nth(1).unwrap_or_default();
            let import = format!("{module}::{name}");
            match self.imports.get(&import) {
                Some(target) => path = path.replacen(&import, target, 1),
                None => break,
            }
        }
        path
    }

    /// Returns the file of the module that a path leads into.
    pub(super) fn file(&self, path: &str) -> &str {
        &self.modules[self.module(path)]
    }

    fn module<'a>(&self, path: &'a str) -> &'a str {
        longest_start(path, |start| self.modules.contains_key(start)).unwrap_or("crate")
    }

    /// Reads tokens rather than a syntax tree, because `syn` keeps the arguments of macros as tokens.
    fn read_tokens(&mut self, module: &str, tokens: TokenStream) -> Result<()> {
        let read = |input: ParseStream| {
            while !input.is_empty() {
                self.read_next(module, input)?;
            }
            Ok(())
        };
        read.parse2(tokens)
    }

    fn read_next(&mut self, module: &str, input: ParseStream) -> Result<()> {
        let span = input.span();
        if input.parse::<Option<Token![#]>>()?.is_some() {
            self.read_attribute(module, input)?;
        } else if input.peek(Token![use]) && !input.peek2(Token![<]) {
            self.read_use(module, "", &input.parse::<ItemUse>()?.tree);
        } else if input.parse::<Option<Token![mod]>>()?.is_some() {
            let child = format!("{module}::{}", input.parse::<Ident>()?);
            self.declared.insert(child.clone());
            if let TokenTree::Group(body) = input.parse()? {
                let file = self.modules[module].clone();
                self.modules.insert(child.clone(), file);
                self.read_tokens(&child, body.stream())?;
            }
        } else if input.peek(Ident::peek_any) {
            let mut path = input.call(Ident::parse_any)?.to_string();
            while input.peek(Token![::]) && input.peek3(Ident::peek_any) {
                input.parse::<Token![::]>()?;
                path = format!("{path}::{}", input.call(Ident::parse_any)?);
            }
            path.extend(input.peek(Token![!]).then_some('!'));
            // Any other single name is local, or was imported by a `use`.
            if path.contains("::") || path.ends_with('!') || path == "async" || path == "await" {
                self.mention(module, span, &path);
            }
        } else {
            match input.parse()? {
                TokenTree::Group(group) => self.read_tokens(module, group.stream())?,
                TokenTree::Literal(text) => self.mention(module, span, &text.to_string()),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
        Ok(())
    }

    /// Reads an attribute, except documentation. Skips the item after it if that is compiled for tests only.
    fn read_attribute(&mut self, module: &str, input: ParseStream) -> Result<()> {
        input.parse::<Option<Token![!]>>()?;
        let tokens = input.parse::<Group>()?.stream();
        match tokens.to_string().replace(' ', "").as_str() {
            "test" | "cfg(test)" => input.parse::<Item>().map(drop),
            text if text.starts_with("doc=") => Ok(()),
            _ => self.read_tokens(module, tokens),
        }
    }

    /// Reads a part of a `use`. The path before it is empty or ends with `::`.
    fn read_use(&mut self, module: &str, before: &str, tree: &UseTree) {
        let (item, name) = match tree {
            UseTree::Path(path) => {
                return self.read_use(module, &format!("{before}{}::", path.ident), &path.tree);
            }
            UseTree::Group(group) => {
                let trees = group.items.iter();
                return trees.for_each(|tree| self.read_use(module, before, tree));
            }
            UseTree::Glob(glob) => {
                return self.mention(module, glob.star_token.spans[0], &format!("{before}*"));
            }
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(name) => (&name.ident, &name.rename),
        };
        let [path, name] = [item, name].map(|last| format!("{before}{last}"));
        let [path, name] = [&path, &name].map(|path| path.trim_end_matches("::self"));
        self.mention(module, item.span(), path);
        let import = format!("{module}::{}", name.rsplit("::").next().unwrap_or(name));
        self.imports.insert(import, from_root(module, path));
    }

    fn mention(&mut self, module: &str, span: Span, path: &str) {
        let (line, path) = (span.start().line, from_root(module, path));
        let module = module.to_owned();
        self.mentions.push(Mention { module, line, path });
    }
}

/// Returns the longest known prefix of a path.
pub(super) fn longest_start(path: &str, is_known: impl Fn(&str) -> bool) -> Option<&str> {
    let ends = path.match_indices("::").map(|(end, _)| end);
    let starts = ends.chain([path.len()]).map(|end| &path[..end]);
    starts.filter(|start| is_known(start)).last()
}

/// Returns a path written in a module, starting at the crate root.
fn from_root(module: &str, path: &str) -> String {
    let (first, rest) = path.split_once("::").unwrap_or((path, ""));
    let (parent, _) = module.rsplit_once("::").unwrap_or((module, ""));
    match first {
        "" => module.to_owned(),
        "crate" => path.to_owned(),
        env!("CARGO_PKG_NAME") => format!("crate::{rest}"),
        "self" => from_root(module, rest),
        "super" => from_root(parent, rest),
        _ => format!("{module}::{path}"),
    }
}
