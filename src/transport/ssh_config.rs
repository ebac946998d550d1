//! What `~/.ssh/config` says of a host. As in `ssh_config(5)` the first value found wins, and the inventory
//! over it.
//!
//! Understood: `Host`, `Match all`, `HostName`, `User`, `Port`, `IdentityFile`, `ProxyJump`, `Include`. Other
//! keywords do not concern us and are passed over; a `Match` we cannot judge never holds and is noted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::pattern::Patterns;

/// Files within files; `ssh` stops at 16 as well.
const DEEPEST_INCLUDE: usize = 16;

/// Key files tried when none is named, those of `ssh` that we can sign with.
const DEFAULT_IDENTITIES: [&str; 2] = ["id_ed25519", "id_ecdsa"];

/// The person at this machine.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Home directory.
    pub home: PathBuf,
    /// Login name.
    pub user: String,
    /// The socket of the SSH agent, when one runs (`SSH_AUTH_SOCK`).
    pub agent: Option<PathBuf>,
}

impl Person {
    /// Who the environment says we are: `HOME`, `USER` or `LOGNAME`, `SSH_AUTH_SOCK`; on Windows `USERPROFILE`
    /// and `USERNAME`.
    pub fn of_environment(environment: impl Fn(&str) -> Option<OsString>) -> Self {
        let of = |name: &str| environment(name).filter(|value| !value.is_empty());
        let user =
            of("USER").or_else(|| of("LOGNAME")).or_else(|| of("USERNAME")).unwrap_or_else(|| "root".into());
        Self {
            home: of("HOME").or_else(|| of("USERPROFILE")).unwrap_or_else(|| "/".into()).into(),
            user: user.to_string_lossy().into_owned(),
            agent: of("SSH_AUTH_SOCK").map(PathBuf::from),
        }
    }

    /// Replaces a leading `~/` by the home directory.
    pub fn expand(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => PathBuf::from(path),
        }
    }
}

/// A person's SSH configuration.
#[derive(Clone, Debug, Default)]
pub struct SshConfig {
    person: Person,
    blocks: Vec<Block>,
    notes: Vec<String>,
}

/// What the configuration says of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSettings {
    /// The address to connect to.
    pub host_name: String,
    /// The remote user.
    pub user: String,
    /// The port.
    pub port: u16,
    /// Key files, in the order to try.
    pub identity_files: Vec<PathBuf>,
    /// The hosts to go through, nearest first.
    pub jumps: Vec<Jump>,
}

/// A host to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Its name in the configuration, or its address.
    pub host: String,
    /// The remote user, when named.
    pub user: Option<String>,
    /// The port, when named.
    pub port: Option<u16>,
}

/// Settings and when they hold: all conditions together, those of including blocks as well.
#[derive(Clone, Debug)]
struct Block {
    conditions: Vec<Condition>,
    settings: Vec<(Keyword, String)>,
}

#[derive(Clone, Debug)]
enum Condition {
    Always,
    Never,
    Host(Patterns),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyword {
    HostName,
    User,
    Port,
    IdentityFile,
    ProxyJump,
}

impl Keyword {
    /// `None` for keywords that do not concern us.
    fn parse(word: &str) -> Option<Self> {
        match word {
            "hostname" => Some(Self::HostName),
            "user" => Some(Self::User),
            "port" => Some(Self::Port),
            "identityfile" => Some(Self::IdentityFile),
            "proxyjump" => Some(Self::ProxyJump),
            _ => None,
        }
    }
}

impl SshConfig {
    /// The configuration of the person at this machine: `~/.ssh/config`, or nothing when there is none.
    ///
    /// # Errors
    /// When a file is there and cannot be read or understood: with its place.
    pub fn of(person: Person) -> anyhow::Result<Self> {
        let path = person.home.join(".ssh/config");
        Self::read(&path, person)
    }

    /// Reads a configuration file; one that is not there says nothing.
    ///
    /// # Errors
    /// As [`SshConfig::of`].
    pub fn read(path: &Path, person: Person) -> anyhow::Result<Self> {
        let mut config = Self { person, ..Self::default() };
        config.read_file(path, &[Condition::Always], 0)?;
        Ok(config)
    }

    /// What had to be ignored, one line each with its place.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The person whose configuration it is.
    pub fn person(&self) -> &Person {
        &self.person
    }

    fn read_file(&mut self, path: &Path, outer: &[Condition], depth: usize) -> anyhow::Result<()> {
        ensure!(depth <= DEEPEST_INCLUDE, "{}: included too deep", path.display());
        let text = match std::fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let mut conditions = outer.to_vec();
        for (index, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), index + 1);
            let words = split_words(line).with_context(|| place.clone())?;
            let Some((keyword, values)) = words.split_first() else { continue };
            match keyword.to_ascii_lowercase().as_str() {
                "host" => {
                    let patterns = Patterns::of(values.iter().map(String::as_str));
                    conditions = [outer, &[Condition::Host(patterns)]].concat();
                }
                "match" => {
                    let all = matches!(values, [only] if only.eq_ignore_ascii_case("all"));
                    let condition = if all { Condition::Always } else { Condition::Never };
                    if !all {
                        self.notes.push(format!("{place}: only `Match all` is supported, block ignored"));
                    }
                    conditions = [outer, &[condition]].concat();
                }
                "include" => self.include(values, &conditions, depth).with_context(|| place)?,
                other => {
                    let Some(keyword) = Keyword::parse(other) else { continue };
                    let value =
                        values.first().with_context(|| format!("{place}: `{other}` without a value"))?;
                    let settings = vec![(keyword, value.clone())];
                    self.blocks.push(Block { conditions: conditions.clone(), settings });
                }
            }
        }
        Ok(())
    }

    fn include(&mut self, paths: &[String], conditions: &[Condition], depth: usize) -> anyhow::Result<()> {
        for path in paths {
            let path = self.person.home.join(".ssh").join(self.person.expand(path));
            let found = glob::glob(&path.to_string_lossy()).context("not a path")?;
            for path in found {
                self.read_file(&path?, conditions, depth + 1)?;
            }
        }
        Ok(())
    }

    /// What the configuration says of a host, named as in the inventory.
    ///
    /// # Errors
    /// When a value is not one (a port, a jump) or uses an unknown token.
    pub fn host(&self, host: &str) -> anyhow::Result<HostSettings> {
        let values = |keyword: Keyword| {
            let holding = self.blocks.iter().filter(|block| block.conditions.iter().all(|c| c.holds(host)));
            holding
                .flat_map(|block| &block.settings)
                .filter(move |(k, _)| *k == keyword)
                .map(|(_, value)| value)
        };
        let first = |keyword| values(keyword).next();
        let port = match first(Keyword::Port) {
            Some(port) => port.parse().with_context(|| format!("`{port}` is not a port"))?,
            None => 22,
        };
        let user = first(Keyword::User).unwrap_or(&self.person.user).clone();
        let mut tokens = Tokens { person: &self.person, host, port, user: &user };
        let host_name = match first(Keyword::HostName) {
            Some(name) => tokens.expand(name)?,
            None => host.to_owned(),
        };
        tokens.host = &host_name;
        let mut identity_files = Vec::new();
        for file in values(Keyword::IdentityFile) {
            identity_files.push(self.person.expand(&tokens.expand(file)?));
        }
        if identity_files.is_empty() {
            let defaults = DEFAULT_IDENTITIES.iter().map(|name| self.person.home.join(".ssh").join(name));
            identity_files = defaults.filter(|path| path.exists()).collect();
        }
        let jumps = match first(Keyword::ProxyJump).map(String::as_str) {
            None | Some("none") => Vec::new(),
            Some(list) => list.split(',').map(|jump| parse_jump(jump.trim())).collect::<Result<_, _>>()?,
        };
        Ok(HostSettings { host_name, user, port, identity_files, jumps })
    }
}

impl Condition {
    fn holds(&self, host: &str) -> bool {
        match self {
            Condition::Always => true,
            Condition::Never => false,
            Condition::Host(patterns) => patterns.holds(host),
        }
    }
}

/// What `%` followed by a letter stands for (`ssh_config(5)`, TOKENS).
struct Tokens<'a> {
    person: &'a Person,
    host: &'a str,
    port: u16,
    user: &'a str,
}

impl Tokens<'_> {
    fn expand(&self, text: &str) -> anyhow::Result<String> {
        let mut expanded = String::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            match characters.next() {
                Some('%') => expanded.push('%'),
                Some('h') => expanded.push_str(self.host),
                Some('p') => expanded.push_str(&self.port.to_string()),
                Some('r') => expanded.push_str(self.user),
                Some('u') => expanded.push_str(&self.person.user),
                Some('d') => expanded.push_str(&self.person.home.to_string_lossy()),
                _ => bail!("`{text}`: only the tokens %h %p %r %u %d %% are supported"),
            }
        }
        Ok(expanded)
    }
}

/// `[user@]host[:port]`, an IPv6 address with a port in brackets.
fn parse_jump(text: &str) -> anyhow::Result<Jump> {
    let (user, place) = match text.rsplit_once('@') {
        Some((user, place)) => (Some(user.to_owned()), place),
        None => (None, text),
    };
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match place.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (place, None),
        },
    };
    let port =
        port.map(|p| p.parse().with_context(|| format!("`{text}`: `{p}` is not a port"))).transpose()?;
    ensure!(!host.is_empty(), "`{text}` is not a host to jump through");
    Ok(Jump { host: host.to_owned(), user, port })
}

/// The words of a line: the keyword may be followed by `=`, words may be quoted, `#` starts a comment.
fn split_words(line: &str) -> anyhow::Result<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"').context("a quote that does not end")?
        } else {
            let at_keyword = words.is_empty();
            let ends = |c: char| c.is_whitespace() || (at_keyword && c == '=');
            rest.split_at(rest.find(ends).unwrap_or(rest.len()))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
        if words.len() == 1 {
            rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
        }
    }
    Ok(words)
}
