//! What hosts keep of themselves (see `program/keep.sh`): where it lies, and how its list reads.

/// Where it lies: on a Conduit, elsewhere.
pub const FOLDERS: [&str; 2] = ["/var/config/rocade/kept", "/var/lib/rocade/kept"];
/// How many applies before its own a host keeps (see `keep_all` there).
pub const LAST: usize = 5;
/// The hook at boot that puts back what was armed when the power went: under systemd, under another init.
pub const HOOKS: [&str; 2] = ["/etc/systemd/system/rocade-revert.service", "/etc/init.d/rocade-revert"];
/// The lock of those who write on a host: its holder, until when in seconds since the start of the host, and
/// words, a line each.
pub const LOCK: &str = "/var/lock/rocade";
/// The seconds since the start of a host, with a fraction.
pub const UPTIME: &str = "/proc/uptime";

const UNIT: char = '\u{1f}';

/// A line of the list: one thing as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A path.
    File {
        /// Absolute.
        path: String,
        /// What stood there.
        was: Was,
    },
    /// A service.
    Service {
        /// Its name.
        name: String,
        /// There was one, it started at boot, it ran.
        state: [bool; 3],
    },
    /// A table of nftables.
    Table {
        /// Family and name.
        name: String,
        /// The name of the file with its rules, beside the list; `None` when there was none.
        rules: Option<String>,
    },
    /// What a URL showed.
    Page {
        /// The URL, seen from the host itself.
        url: String,
        /// The name of the file with its body, beside the list.
        body: String,
    },
}

/// What stood at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Was {
    /// Nothing.
    Absent,
    /// A file: the name of the file with its bytes, their SHA-256; mode, owner, group.
    File(String, String, [String; 3]),
    /// A folder: mode, owner, group.
    Directory([String; 3]),
    /// A symbolic link and where it led.
    Link(String),
}

impl Line {
    /// Reads a line; `None` for one of another version.
    pub fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.strip_suffix(UNIT)?.split(UNIT).collect();
        let own = |word: &&str| (*word).to_owned();
        let owner = |a: &&str, b: &&str, c: &&str| [own(a), own(b), own(c)];
        let file = |path: &&str, was| Some(Line::File { path: own(path), was });
        match words.as_slice() {
            ["file", path, "absent"] => file(path, Was::Absent),
            ["file", path, "link", to] => file(path, Was::Link(own(to))),
            ["file", path, "directory", a, b, c] => file(path, Was::Directory(owner(a, b, c))),
            ["file", path, "file", bytes, sum, a, b, c] => {
                file(path, Was::File(own(bytes), own(sum), owner(a, b, c)))
            }
            ["service", name, present, enabled, running, _] => {
                let state = [present, enabled, running].map(|flag| *flag == "1");
                Some(Line::Service { name: own(name), state })
            }
            ["table", name, rules] => {
                let rules = Some(own(rules)).filter(|rules| !rules.is_empty());
                Some(Line::Table { name: own(name), rules })
            }
            ["page", url, _, body] => Some(Line::Page { url: own(url), body: own(body) }),
            _ => None,
        }
    }

    /// Writes a line, for a simulated host.
    pub fn write(&self) -> String {
        let flag = |flag: &bool| if *flag { "1" } else { "0" }.to_owned();
        let words: Vec<String> = match self {
            Line::File { path, was } => {
                let rest = match was {
                    Was::Absent => vec!["absent".to_owned()],
                    Was::Link(to) => vec!["link".to_owned(), to.clone()],
                    Was::Directory(owner) => [&["directory".to_owned()][..], owner].concat(),
                    Was::File(bytes, sum, owner) => {
                        [&["file".to_owned(), bytes.clone(), sum.clone()][..], owner].concat()
                    }
                };
                [&["file".to_owned(), path.clone()][..], &rest].concat()
            }
            Line::Service { name, state } => {
                let state = state.each_ref().map(flag);
                [&["service".to_owned(), name.clone()][..], &state, &[String::new()]].concat()
            }
            Line::Table { name, rules } => {
                vec!["table".to_owned(), name.clone(), rules.clone().unwrap_or_default()]
            }
            Line::Page { url, body } => {
                vec!["page".to_owned(), url.clone(), "200".to_owned(), body.clone()]
            }
        };
        words.iter().flat_map(|word| [word.as_str(), "\u{1f}"]).chain(["\n"]).collect()
    }
}

/// Reads a list; lines of other versions are left out.
pub fn read_list(text: &str) -> Vec<Line> {
    text.lines().filter_map(Line::read).collect()
}

/// The folder and the name of what is kept, when a path is that of a list.
pub fn of_list(path: &str) -> Option<(&str, &str)> {
    let folder = path.strip_suffix("/list")?;
    let name = FOLDERS.iter().find_map(|kept| folder.strip_prefix(kept)?.strip_prefix('/'))?;
    (!name.contains('/')).then_some((folder, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_the_way() {
        let owner = ["644", "0", "0"].map(str::to_owned);
        let file = |was| Line::File { path: "/etc/a b".to_owned(), was };
        let lines = [
            file(Was::Absent),
            file(Was::Link("/x".to_owned())),
            file(Was::Directory(owner.clone())),
            file(Was::File("3".to_owned(), "ab".to_owned(), owner)),
            Line::Service { name: "sshd".to_owned(), state: [true, false, true] },
            Line::Page { url: "http://127.0.0.1/api/x".to_owned(), body: "4".to_owned() },
            Line::Table { name: "inet x".to_owned(), rules: Some("5".to_owned()) },
            Line::Table { name: "inet y".to_owned(), rules: None },
        ];
        let text: String = lines.iter().map(Line::write).collect();
        assert_eq!(read_list(&text), lines);
        assert_eq!(read_list("file\u{1f}/etc/a\u{1f}of another kind\u{1f}\ncut"), []);
    }

    #[test]
    fn lists_are_found_by_their_path() {
        let folder = "/var/lib/rocade/kept/rocade-1";
        assert_eq!(of_list(&format!("{folder}/list")), Some((folder, "rocade-1")));
        assert_eq!(of_list("/var/lib/rocade/kept/rocade-1/0"), None);
        assert_eq!(of_list("/etc/list"), None);
    }
}
