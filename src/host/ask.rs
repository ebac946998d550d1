//! The questions and orders a host understands. Questions cannot write: there is no such question.

use std::collections::BTreeMap;

use crate::model::Secret;

/// A question. All of a plan's questions to one host travel in one exec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Who the host is: answers [`Answer::Facts`] with `os`, `version`, `title`, `kernel`, `arch`, `hostname`,
    /// `init` (`systemd` or `sysvinit`), `python` (may be missing), `clock` (Unix seconds).
    Facts,
    /// What stands at a path, with the SHA-256 of a regular file: [`Answer::File`].
    File {
        /// Absolute path.
        path: String,
    },
    /// The bytes of a file: [`Answer::Content`].
    Content {
        /// Absolute path.
        path: String,
    },
    /// The regular files below a directory, as paths: [`Answer::Names`].
    Files {
        /// Absolute path.
        directory: String,
    },
    /// The installed version of a package: [`Answer::Version`].
    Package {
        /// The distribution's name.
        name: String,
    },
    /// A service and whether it runs with what is on disk: [`Answer::Service`]. Under a prefix nothing
    /// runs; it is answered as running and current, since there is nothing to start.
    Service {
        /// The service's name.
        name: String,
        /// The files it reads at start; a directory stands for the files in it.
        watch: Vec<String>,
    },
    /// An account: [`Answer::User`].
    User {
        /// Its name.
        name: String,
    },
    /// `GET` of a URL seen from the host itself (the Conduit's API on loopback): [`Answer::Page`].
    Get {
        /// The URL.
        url: String,
    },
    /// The addresses TCP listeners are bound to, as `address:port`: [`Answer::Names`].
    Listening,
    /// The rules of one nftables table, as `nft list table` prints them: [`Answer::Content`]. On a host
    /// without `nft` there is none.
    Firewall {
        /// Family and name, such as `inet rocade`.
        table: String,
    },
    /// All rules of nftables as `nft list ruleset` prints them, without counters and the contents of named
    /// sets: [`Answer::Content`].
    Ruleset,
}

/// The answer to one [`Ask`], or why there is none.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Ask::Facts`].
    Facts(BTreeMap<String, String>),
    /// To [`Ask::File`]: `None` when nothing is there.
    File(Option<FileFacts>),
    /// To [`Ask::Content`], [`Ask::Firewall`] and [`Ask::Ruleset`]: `None` when it is not there.
    Content(Option<Secret>),
    /// To [`Ask::Files`] and [`Ask::Listening`].
    Names(Vec<String>),
    /// To [`Ask::Package`]: `None` when it is not installed.
    Version(Option<String>),
    /// To [`Ask::Service`]: `None` when there is no such service.
    Service(Option<ServiceFacts>),
    /// To [`Ask::User`]: `None` when there is no such account.
    User(Option<UserFacts>),
    /// To [`Ask::Get`].
    Page(Page),
    /// It could not be read: why. Never the same as "not there".
    Unread(String),
}

impl Answer {
    /// The text of a content that is nobody's secret, damaged characters replaced; `None` when it is not there.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn text(self) -> anyhow::Result<Option<String>> {
        match self {
            Answer::Content(content) => {
                Ok(content.map(|text| String::from_utf8_lossy(text.reveal()).into_owned()))
            }
            Answer::Unread(why) => anyhow::bail!("{why}"),
            _ => anyhow::bail!("the host answered another question"),
        }
    }
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits in octal without leading zeros, such as `644`.
    pub mode: String,
    /// Owner's name (number when it has none).
    pub owner: String,
    /// Group's name (number when it has none).
    pub group: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of a regular file's bytes, lower-case hex.
    pub sha256: Option<String>,
}

/// Kinds of directory entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link (not followed).
    Link,
    /// Anything else.
    Other,
}

/// What is known of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Starts at boot.
    pub enabled: bool,
    /// Runs now.
    pub running: bool,
    /// Runs with what is on disk: none of the watched files changed since it started or last reloaded.
    pub current: bool,
}

/// What is known of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFacts {
    /// Numeric id.
    pub uid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Names of its groups.
    pub groups: Vec<String>,
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// Body; treated as secret, since the Conduit shows keys.
    pub body: Secret,
}

/// An order. Orders run in the sequence given; the first that fails ends it.
#[derive(Clone, Debug)]
pub enum Order {
    /// Puts a file in place atomically: temporary file beside it, mode and owner, fsync, rename. Missing
    /// parents are made. A symbolic link is replaced, a directory never.
    Put {
        /// Absolute path.
        path: String,
        /// Its bytes.
        content: Secret,
        /// Permission bits in octal, such as `0644`.
        mode: String,
        /// Owner's name.
        owner: String,
        /// Group's name.
        group: String,
    },
    /// Changes mode and owner of what is there.
    Own {
        /// Absolute path.
        path: String,
        /// Permission bits in octal.
        mode: String,
        /// Owner's name.
        owner: String,
        /// Group's name.
        group: String,
    },
    /// Makes a directory and its parents.
    Directory {
        /// Absolute path.
        path: String,
        /// Permission bits in octal, of the last one.
        mode: String,
        /// Owner's name.
        owner: String,
        /// Group's name.
        group: String,
    },
    /// Removes a file (not there is fine).
    Remove {
        /// Absolute path.
        path: String,
    },
    /// Installs a package with its dependencies.
    Install {
        /// The distribution's name.
        package: String,
    },
    /// Starts, stops, enables a service.
    Service {
        /// The service's name.
        name: String,
        /// What it is to do.
        act: ServiceAct,
        /// The files it reads at start, to remember what it now runs with.
        watch: Vec<String>,
    },
    /// Makes a system account without login.
    User {
        /// Its name.
        name: String,
        /// Its home directory.
        home: String,
    },
    /// Runs a program for at most `seconds` to test a configuration before it is activated. It is good when
    /// it ends with status 0 or is still running then; otherwise the order fails with its output.
    Trial {
        /// Program and arguments; never a secret.
        argv: Vec<String>,
        /// The time it is given.
        seconds: u32,
    },
    /// Runs a program to its end; good when its status is 0.
    Run {
        /// Program and arguments; never a secret.
        argv: Vec<String>,
        /// What it reads on standard input.
        stdin: Secret,
    },
    /// An HTTP request from the host itself; good when the status is 2xx and a JSON body does not say
    /// `"status": "fail"` or `"error"`.
    Send {
        /// `POST`, `PUT` or `DELETE`.
        method: &'static str,
        /// The URL.
        url: String,
        /// The body, JSON, may be empty.
        body: Secret,
    },
    /// Keeps what stands on the host now, on the host itself, under the name of an apply. What is kept
    /// already under that name stays as it was kept first.
    Keep {
        /// The name of the apply.
        name: String,
        /// What to keep.
        things: Vec<Thing>,
    },
    /// Sets a timer on the host that puts back what is kept under a name, unless it is confirmed before. Each
    /// order that ends well after it gives it the whole time again.
    Arm {
        /// The name of the apply.
        name: String,
        /// The time.
        seconds: u32,
    },
    /// Takes the timer away; fails when its time ran out.
    Confirm {
        /// The name of the apply.
        name: String,
    },
    /// Puts back files, links, folders, services and rules of a firewall kept under a name, and reads them
    /// again: fails unless all is as it was. The paths that were put back are its output. Pages are not put back.
    Revert {
        /// The name of the apply.
        name: String,
    },
    /// Takes the lock of those who write on this host, or holds it on; fails while another has it.
    Lock {
        /// Who takes it: the same one gets it again.
        holder: String,
        /// How long it is held, unless it is taken again.
        seconds: u32,
        /// Words for others: who, from where, what.
        words: String,
    },
    /// Gives the lock back; another's is left alone.
    Unlock {
        /// Who took it.
        holder: String,
    },
}

/// What can be kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// What stands at an absolute path, or that nothing does.
    File(String),
    /// Whether a service starts at boot and runs.
    Service(String),
    /// What a URL shows, seen from the host itself.
    Page(String),
    /// The rules of a table of nftables, by family and name, that are in force.
    Table(String),
}

/// What a service is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAct {
    /// Start at boot from now on.
    Enable,
    /// No more start at boot.
    Disable,
    /// Run now.
    Start,
    /// End now.
    Stop,
    /// Read the configuration again.
    Reload,
    /// End and run again.
    Restart,
}

/// How one order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The host confirmed it; the text is the output of a [`Order::Run`].
    Done(Done),
    /// The host refused it: why.
    Failed(String),
    /// An earlier one failed.
    NotStarted,
    /// It was sent and the connection ended before its answer.
    Unknown(String),
}

/// What a confirmed order gave back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Output; empty for all orders but [`Order::Run`] and [`Order::Revert`]. The page of an [`Order::Send`]
    /// may hold keys.
    pub output: String,
}
