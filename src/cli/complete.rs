//! What may stand next on a command line: verbs, flags, their values, and names the inventory has. Offline, silent,
//! and without opening a secret: a person is in the middle of a word.

mod names;

use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};

use super::Arguments;

/// The completion scripts, which ask the program itself.
pub const BASH: &str = include_str!("complete/rocade.bash");
/// For zsh.
pub const ZSH: &str = include_str!("complete/rocade.zsh");
/// For fish.
pub const FISH: &str = include_str!("complete/rocade.fish");
/// For PowerShell.
pub const POWERSHELL: &str = include_str!("complete/rocade.ps1");

/// One word that may stand next, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The whole word.
    pub text: String,
    /// In a few words.
    pub about: String,
}

impl Candidate {
    fn new(text: impl Into<String>, about: impl Into<String>) -> Self {
        Self { text: text.into(), about: about.into() }
    }
}

/// The words that may stand in the place of the last one. None where a file is meant, or nothing is known.
pub fn candidates(words: &[String]) -> Vec<Candidate> {
    let Some((current, before)) = words.split_last() else { return Vec::new() };
    let mut root = Arguments::command();
    root.build();
    let mut line = Line {
        command: &root,
        verbs: Vec::new(),
        place: 0,
        open: None,
        only_values: false,
        directory: PathBuf::from("."),
    };
    before.iter().for_each(|word| line.take(word));
    let mut found = line.next(current);
    found.retain(|one| one.text.starts_with(current.as_str()));
    found
}

/// A command line as far as it was read.
struct Line<'a> {
    command: &'a Command,
    verbs: Vec<&'a str>,
    /// How many values without a flag stand after the verb.
    place: usize,
    /// The flag whose value comes next.
    open: Option<&'a Arg>,
    /// After `--`.
    only_values: bool,
    directory: PathBuf,
}

impl<'a> Line<'a> {
    fn take(&mut self, word: &str) {
        if let Some(flag) = self.open.take() {
            return self.note(flag, word);
        }
        if !self.only_values {
            if word == "--" {
                self.only_values = true;
                return;
            }
            if let Some(long) = word.strip_prefix("--") {
                return self.take_long(long);
            }
            if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                return self.take_letters(letters);
            }
            let verb = self.command.find_subcommand(word).filter(|_| self.place == 0);
            if let Some(verb) = verb {
                self.command = verb;
                self.verbs.push(verb.get_name());
                return;
            }
        }
        self.place += 1;
    }

    fn take_long(&mut self, word: &str) {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let Some(flag) = self.long(name) else { return };
        match value {
            Some(value) => self.note(flag, value),
            None if wants_value(flag) => self.open = Some(flag),
            None => {}
        }
    }

    fn take_letters(&mut self, letters: &str) {
        for (at, letter) in letters.char_indices() {
            let flag = self.command.get_arguments().find(|arg| arg.get_short() == Some(letter));
            let Some(flag) = flag.filter(|flag| wants_value(flag)) else { continue };
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            match rest.trim_start_matches('=') {
                "" => self.open = Some(flag),
                value => self.note(flag, value),
            }
            return;
        }
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|arg| arg.get_long() == Some(name))
    }

    /// Heeds the flag that says where the inventory is.
    fn note(&mut self, flag: &Arg, value: &str) {
        if flag.get_id() == "directory" {
            // The shell has not replaced it yet.
            let home = value.strip_prefix("~/").and_then(|rest| Some((std::env::var_os("HOME")?, rest)));
            self.directory = home.map_or_else(|| value.into(), |(home, rest)| PathBuf::from(home).join(rest));
        }
    }

    fn next(&self, current: &str) -> Vec<Candidate> {
        if let Some(flag) = self.open {
            return self.values(flag);
        }
        if !self.only_values && current.starts_with('-') {
            let long = current.strip_prefix("--").and_then(|long| long.split_once('='));
            let Some((name, _)) = long else { return self.flags() };
            let found = self.long(name).map(|flag| self.values(flag)).unwrap_or_default();
            let whole = |one: Candidate| Candidate::new(format!("--{name}={}", one.text), one.about);
            return found.into_iter().map(whole).collect();
        }
        let mut found = Vec::new();
        if self.place == 0 && !self.only_values {
            let verbs = self.command.get_subcommands().filter(|verb| !verb.is_hide_set());
            found.extend(verbs.map(|verb| Candidate::new(verb.get_name(), first_line(verb.get_about()))));
        }
        let mut values = self.command.get_positionals();
        let many = |arg: &&Arg| arg.get_num_args().is_some_and(|number| number.max_values() > 1);
        let value = values.nth(self.place).or_else(|| self.command.get_positionals().last().filter(many));
        found.extend(value.map(|value| self.values(value)).unwrap_or_default());
        found
    }

    fn flags(&self) -> Vec<Candidate> {
        let shown = self.command.get_arguments().filter(|arg| !arg.is_hide_set());
        let named = shown.filter_map(|arg| {
            Some(Candidate::new(format!("--{}", arg.get_long()?), first_line(arg.get_help())))
        });
        named.collect()
    }

    fn values(&self, arg: &Arg) -> Vec<Candidate> {
        let words = arg.get_possible_values();
        if !words.is_empty() {
            let shown = words.iter().filter(|word| !word.is_hide_set());
            return shown.map(|word| Candidate::new(word.get_name(), first_line(word.get_help()))).collect();
        }
        names::of(&self.directory, &self.verbs, arg.get_id().as_str())
    }
}

fn wants_value(flag: &Arg) -> bool {
    flag.get_action().takes_values() && flag.get_num_args().is_none_or(|number| number.min_values() > 0)
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}
