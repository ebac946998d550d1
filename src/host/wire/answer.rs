//! Answers: what the host program found, back in the order of the questions.
//!
//! Files and packages are read by one command for all of them, so their records carry names, not numbers.
//! Nothing counts as "not there" unless the program came to its end.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::super::{Answer, Ask, FileFacts, FileKind, Page, ServiceFacts, UserFacts};
use super::{Lines, RECORD, armor, record, unarmor, unarmor_text, words};
use crate::model::Secret;

/// The type bits of a raw mode (`stat(2)`, `inode(7)`).
const TYPE_BITS: u32 = 0o170_000;
const TYPES: [(u32, FileKind); 3] =
    [(0o100_000, FileKind::Regular), (0o040_000, FileKind::Directory), (0o120_000, FileKind::Link)];
/// The type bits of a socket: one of the other kinds, to write them.
const OTHER_TYPE: u32 = 0o140_000;

/// What the lines that are not records belong to.
enum Section {
    None,
    Digests,
    Names(usize),
}

/// Reads the answers to a list of questions from a stream that arrives in pieces.
pub struct AnswerDecoder<'a> {
    asks: &'a [Ask],
    lines: Lines,
    sheet: Sheet,
}

/// What the records said so far.
struct Sheet {
    answers: Vec<Option<Answer>>,
    files: BTreeMap<String, Result<FileFacts, String>>,
    digests: BTreeMap<String, String>,
    /// Names by number, when the files are in a tree with its own accounts.
    owners: BTreeMap<String, String>,
    groups: BTreeMap<String, String>,
    packages: BTreeMap<String, Option<String>>,
    packages_unread: Option<String>,
    names: Vec<String>,
    section: Section,
    ended: bool,
}

impl<'a> AnswerDecoder<'a> {
    /// A decoder for the answers to these questions.
    pub fn new(asks: &'a [Ask]) -> Self {
        let sheet = Sheet {
            answers: asks.iter().map(|_| None).collect(),
            files: BTreeMap::new(),
            digests: BTreeMap::new(),
            owners: BTreeMap::new(),
            groups: BTreeMap::new(),
            packages: BTreeMap::new(),
            packages_unread: None,
            names: Vec::new(),
            section: Section::None,
            ended: false,
        };
        Self { asks, lines: Lines::default(), sheet }
    }

    /// Takes the next piece of the host's standard output.
    pub fn feed(&mut self, piece: &[u8]) {
        let sheet = &mut self.sheet;
        self.lines.feed(piece, |line| sheet.line(line));
    }

    /// Whether the program came to its end.
    pub fn is_complete(&self) -> bool {
        self.sheet.ended
    }

    /// One answer for each question. What has none is unread for the reason given.
    pub fn finish(mut self, missing: &str) -> Vec<Answer> {
        let answers = std::mem::take(&mut self.sheet.answers);
        let sheet = self.sheet;
        let fit = |(ask, answer): (&Ask, Option<Answer>)| match answer {
            Some(answer) if belongs(ask, &answer) => answer,
            Some(_) => Answer::Unread("the host answered another question".to_owned()),
            None => sheet.named(ask, missing),
        };
        self.asks.iter().zip(answers).map(fit).collect()
    }
}

/// Whether an answer is of the kind its question has.
fn belongs(ask: &Ask, answer: &Answer) -> bool {
    matches!(
        (ask, answer),
        (_, Answer::Unread(_))
            | (Ask::Facts, Answer::Facts(_))
            | (Ask::Content { .. } | Ask::Firewall { .. } | Ask::Ruleset, Answer::Content(_))
            | (Ask::Files { .. } | Ask::Listening, Answer::Names(_))
            | (Ask::Service { .. }, Answer::Service(_))
            | (Ask::User { .. }, Answer::User(_))
            | (Ask::Get { .. }, Answer::Page(_))
    )
}

impl Sheet {
    fn line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        match text.strip_prefix(char::from(RECORD)) {
            Some(rest) => {
                if let Some(words) = words(rest) {
                    self.record(&words);
                }
            }
            None => self.section_line(&text),
        }
    }

    fn section_line(&mut self, line: &str) {
        match self.section {
            Section::None => {}
            Section::Names(_) => self.names.push(line.strip_prefix('.').unwrap_or(line).to_owned()),
            Section::Digests => {
                if let Some((digest, path)) = digest_line(line) {
                    self.digests.insert(path, digest);
                }
            }
        }
    }

    fn record(&mut self, words: &[&str]) {
        let section = std::mem::replace(&mut self.section, Section::None);
        match words {
            ["end"] => self.ended = true,
            ["digests"] => self.section = Section::Digests,
            ["file", path, mode, owner, group, size] => {
                if let (Some(path), Some(facts)) = (path.strip_prefix('.'), facts(mode, owner, group, size)) {
                    self.files.insert(path.to_owned(), Ok(facts));
                }
            }
            ["owners", pairs @ ..] => self.owners = pairs_of(pairs),
            ["groups", pairs @ ..] => self.groups = pairs_of(pairs),
            ["file-unread", path, why] => {
                let why = unarmor_text(why).unwrap_or_default();
                self.files.insert(path.strip_prefix('.').unwrap_or(path).to_owned(), Err(why));
            }
            ["package", name, status, version] => {
                let version = (*status == "installed").then(|| (*version).to_owned());
                self.packages.insert((*name).to_owned(), version);
            }
            ["packages-unread", why] => {
                self.packages_unread = Some(unarmor_text(why).unwrap_or_default());
            }
            [index, rest @ ..] => {
                let Some(index) = index.parse().ok().filter(|index| *index < self.answers.len()) else {
                    return;
                };
                self.numbered(index, rest, &section);
            }
            [] => {}
        }
    }

    /// A record that names its question by its place.
    fn numbered(&mut self, index: usize, words: &[&str], section: &Section) {
        let answer = match words {
            ["names"] => {
                self.section = Section::Names(index);
                self.names.clear();
                return;
            }
            ["names-end"] if matches!(section, Section::Names(open) if *open == index) => {
                self.names.sort();
                Some(Answer::Names(std::mem::take(&mut self.names)))
            }
            _ => plain(words),
        };
        let damaged = || Answer::Unread("the host's answer is damaged".to_owned());
        self.answers[index] = Some(answer.unwrap_or_else(damaged));
    }

    /// The answer to a question that files or packages answer by name, or why there is none.
    fn named(&self, ask: &Ask, missing: &str) -> Answer {
        let unread = |why: &str| Answer::Unread(why.to_owned());
        match ask {
            Ask::File { path } => match self.files.get(path) {
                Some(Ok(facts)) => self.file(path, facts),
                Some(Err(why)) => unread(why),
                None if self.ended => Answer::File(None),
                None => unread(missing),
            },
            Ask::Package { name } => match (self.packages.get(name), &self.packages_unread) {
                (Some(version), _) => Answer::Version(version.clone()),
                (None, Some(why)) => unread(why),
                (None, None) if self.ended => Answer::Version(None),
                (None, None) => unread(missing),
            },
            _ => unread(missing),
        }
    }

    fn file(&self, path: &str, facts: &FileFacts) -> Answer {
        let mut facts = facts.clone();
        for (names, name) in [(&self.owners, &mut facts.owner), (&self.groups, &mut facts.group)] {
            if let Some(known) = names.get(name) {
                name.clone_from(known);
            }
        }
        if facts.kind == FileKind::Regular {
            match self.digests.get(path) {
                Some(digest) => facts.sha256 = Some(digest.clone()),
                None => return Answer::Unread(format!("the bytes of {path} could not be read")),
            }
        }
        Answer::File(Some(facts))
    }
}

/// Answers that stand in one record.
fn plain(words: &[&str]) -> Option<Answer> {
    let own = |word: &str| word.to_owned();
    Some(match words {
        ["unread", why] => Answer::Unread(unarmor_text(why)?),
        ["facts", pairs @ ..] => Answer::Facts(pairs_of(pairs)),
        ["content", content] => {
            let mut bytes = unarmor(content)?;
            Answer::Content(Some(Secret::new(std::mem::take(&mut *bytes), "the host's copy")))
        }
        ["content-none"] => Answer::Content(None),
        ["service", flags @ ..] => Answer::Service(Some(service(flags)?)),
        ["service-none"] => Answer::Service(None),
        ["user", uid, home, shell, groups @ ..] => Answer::User(Some(UserFacts {
            uid: uid.parse().ok()?,
            home: own(home),
            shell: own(shell),
            groups: groups.iter().map(|group| own(group)).collect(),
        })),
        ["user-none"] => Answer::User(None),
        ["page", status, body] => {
            let mut bytes = unarmor(body)?;
            let body = Secret::new(std::mem::take(&mut *bytes), "the host's page");
            Answer::Page(Page { status: status.parse().ok().filter(|status| *status != 0)?, body })
        }
        ["listening", sockets @ ..] => {
            let address = |socket: &&str| socket.parse().map(|socket: SocketAddr| socket.to_string());
            Answer::Names(sockets.iter().map(address).collect::<Result<_, _>>().ok()?)
        }
        _ => return None,
    })
}

/// Words of the form `key=value`.
fn pairs_of(words: &[&str]) -> BTreeMap<String, String> {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn service(flags: &[&str]) -> Option<ServiceFacts> {
    let flag = |word: &str| match word {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    let [enabled, running, current] = flags else { return None };
    Some(ServiceFacts { enabled: flag(enabled)?, running: flag(running)?, current: flag(current)? })
}

/// Facts from the words of `stat -c %f %U %G %s`.
fn facts(raw_mode: &str, owner: &str, group: &str, size: &str) -> Option<FileFacts> {
    let raw = u32::from_str_radix(raw_mode, 16).ok()?;
    let kind =
        TYPES.iter().find(|(bits, _)| raw & TYPE_BITS == *bits).map_or(FileKind::Other, |(_, kind)| *kind);
    Some(FileFacts {
        kind,
        mode: format!("{:o}", raw & !TYPE_BITS),
        owner: owner.to_owned(),
        group: group.to_owned(),
        size: size.parse().ok()?,
        sha256: None,
    })
}

/// Digest and path of a line of `sha256sum` (`<hex>  ./path`) or `openssl dgst -r` (`<hex> *./path`). GNU
/// begins the line with a backslash when it had to escape backslashes of the path.
fn digest_line(line: &str) -> Option<(String, String)> {
    let (line, escaped) = line.strip_prefix('\\').map_or((line, false), |line| (line, true));
    let (digest, path) = line.split_once(' ')?;
    let path = path.strip_prefix([' ', '*'])?.strip_prefix('.')?;
    let path = if escaped { path.replace("\\\\", "\\") } else { path.to_owned() };
    let hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| (digest.to_ascii_lowercase(), path))
}

/// Writes answers as the host program does, for a simulated host. Questions and answers go in pairs.
pub fn encode_answers(asks: &[Ask], answers: &[Answer]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, (ask, answer)) in asks.iter().zip(answers).enumerate() {
        match (ask, answer) {
            (Ask::File { path }, Answer::File(Some(facts))) => encode_file(&mut out, path, facts),
            (Ask::Package { name }, Answer::Version(version)) => {
                let status = if version.is_some() { "installed" } else { "not-installed" };
                record(&mut out, &["package", name, status, version.as_deref().unwrap_or_default()]);
            }
            (_, Answer::File(_) | Answer::Version(_)) => {}
            (_, answer) => encode_numbered(&mut out, &index.to_string(), answer),
        }
    }
    record(&mut out, &["end"]);
    out
}

fn encode_file(out: &mut Vec<u8>, path: &str, facts: &FileFacts) {
    let bits = TYPES.iter().find(|(_, kind)| *kind == facts.kind).map_or(OTHER_TYPE, |(bits, _)| *bits);
    let mode = u32::from_str_radix(&facts.mode, 8).unwrap_or_default();
    let raw = format!("{:x}", bits | mode);
    record(out, &["file", &format!(".{path}"), &raw, &facts.owner, &facts.group, &facts.size.to_string()]);
    if let Some(digest) = &facts.sha256 {
        record(out, &["digests"]);
        let (mark, path) = match path.contains('\\') {
            true => ("\\", path.replace('\\', "\\\\")),
            false => ("", path.to_owned()),
        };
        out.extend_from_slice(format!("{mark}{digest}  .{path}\n").as_bytes());
    }
}

fn encode_numbered(out: &mut Vec<u8>, index: &str, answer: &Answer) {
    let mut say = |words: &[&str]| record(out, &[&[index], words].concat());
    let flag = |flag: bool| if flag { "1" } else { "0" };
    match answer {
        Answer::Facts(facts) => {
            let pairs: Vec<String> = facts.iter().map(|(key, value)| format!("{key}={value}")).collect();
            say(&[&["facts"], pairs.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat());
        }
        Answer::Content(Some(content)) => say(&["content", &armor(content.reveal())]),
        Answer::Content(None) => say(&["content-none"]),
        Answer::Names(names) => {
            say(&["names"]);
            names.iter().for_each(|name| out.extend_from_slice(format!(".{name}\n").as_bytes()));
            record(out, &[index, "names-end"]);
        }
        Answer::Service(Some(facts)) => {
            say(&["service", flag(facts.enabled), flag(facts.running), flag(facts.current)]);
        }
        Answer::Service(None) => say(&["service-none"]),
        Answer::User(Some(facts)) => {
            let uid = facts.uid.to_string();
            let groups: Vec<&str> = facts.groups.iter().map(String::as_str).collect();
            say(&[["user", &uid, &facts.home, &facts.shell].as_slice(), &groups].concat());
        }
        Answer::User(None) => say(&["user-none"]),
        Answer::Page(page) => say(&["page", &page.status.to_string(), &armor(page.body.reveal())]),
        Answer::Unread(why) => say(&["unread", &armor(why.as_bytes())]),
        Answer::File(_) | Answer::Version(_) => {}
    }
}
