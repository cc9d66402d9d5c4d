//! Configuration in words and blocks, as nginx and Caddy have it.

use super::WebServer;

/// One thing that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    /// What, and of what.
    pub(super) words: Vec<String>,
    /// What stands in its block.
    pub(super) block: Vec<Directive>,
    /// The file that says it.
    pub(super) file: String,
}

impl Directive {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub(super) fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Its first argument.
    pub(super) fn argument(&self) -> &str {
        self.words.get(1).map_or("", String::as_str)
    }

    /// All words in it, also in its block.
    pub(super) fn all_words(&self) -> Vec<&str> {
        let inner = self.block.iter().flat_map(Directive::all_words);
        self.words.iter().map(String::as_str).chain(inner).collect()
    }
}

/// What ends a thing that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// `;`, as with nginx, where a brace stands for itself wherever it is.
    Semicolons,
    /// The end of its line, as with Caddy, where only a brace that stands alone begins a block.
    Lines,
}

enum Token {
    Word(String),
    Opens,
    Closes,
    Ends,
}

fn tokens(text: &str, ends: Ends) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    let by_lines = ends == Ends::Lines;
    while let Some(c) = chars.next() {
        match c {
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' | '\'' | '`' if word.is_none() && (c == '"' || by_lines == (c == '`')) => {
                let mut text = String::new();
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' if c != '`' => text.extend(chars.next()),
                        inner if inner == c => break,
                        inner => text.push(inner),
                    }
                }
                word = Some(text);
            }
            '\\' if by_lines && chars.peek() == Some(&'\n') => drop(chars.next()),
            '\\' => {
                let text = word.get_or_insert_default();
                text.push(c);
                text.extend(chars.next());
            }
            ';' if !by_lines => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Ends);
            }
            // A variable may have braces.
            '{' if !by_lines && !word.as_ref().is_some_and(|word| word.ends_with('$')) => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Opens);
            }
            '}' if !by_lines && word.is_none() => tokens.push(Token::Closes),
            c if c.is_whitespace() => {
                tokens.extend(word.take().map(|word| match word.as_str() {
                    "{" if by_lines => Token::Opens,
                    "}" if by_lines => Token::Closes,
                    _ => Token::Word(word),
                }));
                if by_lines && c == '\n' {
                    tokens.push(Token::Ends);
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

/// What a text says. Of a block that isn't closed nothing is taken.
fn parse(text: &str, file: &str, ends: Ends) -> Vec<Directive> {
    let said = |words: Vec<String>, block| Directive { words, block, file: file.to_owned() };
    let mut text = text.to_owned();
    text.push('\n');
    let mut open: Vec<(Vec<String>, Vec<Directive>)> = Vec::new();
    let (mut words, mut block) = (Vec::new(), Vec::new());
    for token in tokens(&text, ends) {
        match token {
            Token::Word(word) => words.push(word),
            Token::Opens => open.push((std::mem::take(&mut words), std::mem::take(&mut block))),
            Token::Ends if words.is_empty() => {}
            Token::Ends => block.push(said(std::mem::take(&mut words), Vec::new())),
            Token::Closes => {
                if !words.is_empty() {
                    block.push(said(std::mem::take(&mut words), Vec::new()));
                }
                let Some((of, around)) = open.pop() else { continue };
                let inner = std::mem::replace(&mut block, around);
                block.push(said(of, inner));
            }
        }
    }
    open.into_iter().next().map_or(block, |(_, outermost)| outermost)
}

/// So many files are taken in at most, however often.
const TAKEN_IN: usize = 500;

/// All that a web server's configuration says, with what its files take in by this word in the place of it. What isn't found stays as
/// it is.
pub(super) fn read(server: &WebServer, ends: Ends, takes_in: &str) -> Vec<Directive> {
    let Some(main) = server.files.first() else { return Vec::new() };
    let mut reading = Reading { server, ends, takes_in, main: &main.path, left: TAKEN_IN };
    reading.file(&main.path, &main.text, &mut Vec::new())
}

struct Reading<'s> {
    server: &'s WebServer,
    ends: Ends,
    takes_in: &'s str,
    main: &'s str,
    left: usize,
}

impl<'s> Reading<'s> {
    fn file(&mut self, path: &'s str, text: &str, within: &mut Vec<&'s str>) -> Vec<Directive> {
        within.push(path);
        let all = self.take_in(parse(text, path, self.ends), within);
        within.pop();
        all
    }

    fn take_in(&mut self, directives: Vec<Directive>, within: &mut Vec<&'s str>) -> Vec<Directive> {
        let mut all = Vec::new();
        for directive in directives {
            if directive.name() == self.takes_in && directive.block.is_empty() {
                let folder = super::folder_of(match self.ends {
                    Ends::Semicolons => self.main,
                    Ends::Lines => &directive.file,
                });
                let files: Vec<_> = self.server.included(folder, directive.argument()).collect();
                if files.is_empty() {
                    all.push(directive);
                    continue;
                }
                for file in files {
                    if self.left > 0 && !within.contains(&file.path.as_str()) {
                        self.left -= 1;
                        all.extend(self.file(&file.path, &file.text, within));
                    }
                }
            } else {
                let block = self.take_in(directive.block, within);
                all.push(Directive { block, ..directive });
            }
        }
        all
    }
}
