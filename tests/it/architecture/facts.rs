//! What a source does, read with `syn`: the paths it names, the macros it calls, and whether it waits.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Something that a source does, and on which line.
pub(super) struct Fact {
    pub(super) line: usize,
    pub(super) what: What,
}

pub(super) enum What {
    /// Names something; `crate` stands in front of what is of the crate, whatever way it was written.
    Path(Vec<String>),
    /// Calls a macro.
    Macro(String),
    /// Waits, or can be waited for.
    Async,
}

/// What a source does, but for what is compiled for tests alone.
pub(super) fn facts(text: &str, module: &[String]) -> Vec<Fact> {
    let file = syn::parse_file(text).expect("a source parses");
    let mut reader = Reader {
        module: module.to_vec(),
        facts: Vec::new(),
    };
    reader.visit_file(&file);
    reader.facts
}

/// Walks a file and notes what it does; what is compiled for tests alone is left out.
struct Reader {
    module: Vec<String>,
    facts: Vec<Fact>,
}

impl Reader {
    fn note(&mut self, line: usize, what: What) {
        self.facts.push(Fact { line, what });
    }

    /// Notes a path; `self` and `super` are followed to where they lead.
    fn path(&mut self, line: usize, segments: &[String]) {
        let ups = segments
            .iter()
            .take_while(|segment| *segment == "super" || *segment == "self")
            .count();
        let supers = segments
            .iter()
            .take(ups)
            .filter(|segment| *segment == "super")
            .count();
        let mut path = segments.to_vec();
        if ups > 0 {
            let stays = self.module.len().saturating_sub(supers);
            path = std::iter::once("crate".to_owned())
                .chain(self.module[..stays].iter().cloned())
                .collect();
            path.extend(segments[ups..].iter().cloned());
        }
        // A name alone is a local one.
        if path.len() > 1 || path.first().is_some_and(|first| first == "crate") {
            self.note(line, What::Path(path));
        }
    }

    fn use_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |last: &syn::Ident| {
            before
                .iter()
                .cloned()
                .chain([last.to_string()])
                .collect::<Vec<_>>()
        };
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(syn::UseName { ident, .. })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                let whole = if ident == "self" && !before.is_empty() {
                    before.to_vec()
                } else {
                    with(ident)
                };
                self.path(line(ident), &whole);
            }
            syn::UseTree::Glob(glob) => self.path(glob.star_token.span.start().line, before),
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.use_tree(before, item)),
        }
    }

    /// What a macro is given is not parsed, so its paths are put together from its tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut place, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.path(place, &std::mem::take(&mut path));
                    }
                    place = line(&word);
                    if word == "async" || word == "await" {
                        self.note(place, What::Async);
                    }
                    path.push(word.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Punct(punct) => {
                    if let (true, Some(name)) = (punct.as_char() == '!', path.last()) {
                        self.note(place, What::Macro(name.clone()));
                    }
                    self.path(place, &std::mem::take(&mut path));
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    self.path(place, &std::mem::take(&mut path));
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Literal(_) => {}
            }
        }
        self.path(place, &path);
    }
}

fn line(word: &syn::Ident) -> usize {
    word.span().start().line
}

/// Whether something is compiled for tests alone.
fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Ident>()
                    .is_ok_and(|cfg| cfg == "test")
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes: &[syn::Attribute] = match item {
            syn::Item::Const(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&[], &item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.note(line(&item.ident), What::Path(vec![item.ident.to_string()]));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.path(
            path.segments.first().map_or(0, |first| line(&first.ident)),
            &segments,
        );
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        if let Some(name) = called.path.segments.last() {
            self.note(line(&name.ident), What::Macro(name.ident.to_string()));
        }
        self.tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if signature.asyncness.is_some() {
            self.note(line(&signature.ident), What::Async);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        if closure.asyncness.is_some() {
            self.note(closure.inputs_begin.span.start().line, What::Async);
        }
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.note(block.async_token.span.start().line, What::Async);
        visit::visit_expr_async(self, block);
    }
}
