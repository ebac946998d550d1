//! A text with secrets in a person's editor: in a folder that only its owner enters, in memory where there is
//! one, overwritten and removed afterwards. When rocade is killed meanwhile the editor's own shell removes it;
//! when both are killed, the next edit does.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use super::start;
use crate::cli::say;

/// How the folders are called: the number behind it is the process that made it.
const NAME: &str = "rocade-edit-";

/// A text under the editor. Whatever happens, it is wiped when this goes.
pub struct Edited {
    folder: PathBuf,
    file: PathBuf,
}

impl Edited {
    /// Puts a text where only its owner and memory see it.
    ///
    /// # Errors
    /// When there is no place to write it.
    pub fn new(name: &str, text: &[u8]) -> anyhow::Result<Self> {
        let place = place();
        sweep(&place);
        let mut builder = tempfile::Builder::new();
        let prefix = format!("{NAME}{}-", std::process::id());
        builder.prefix(&prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir_in(&place);
        let folder = folder.with_context(|| format!("making a folder in {}", place.display()))?.keep();
        let file = folder.join(name);
        let edited = Self { folder, file };
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(&edited.file).context("writing the text to edit")?;
        out.write_all(text).context("writing the text to edit")?;
        Ok(edited)
    }

    /// Opens the editor and gives the text it left.
    ///
    /// # Errors
    /// When the editor cannot be started, fails, or the person interrupts.
    pub fn edit(&self, editor: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        // Ctrl-C in the editor is the editor's; what ends rocade while it waits must not skip the wiping.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let status = runtime.block_on(self.run(editor))?;
        if !status.success() {
            bail!("the editor ended with {status}; nothing was changed");
        }
        let mut file = File::open(&self.file).context("reading what the editor left")?;
        let size = usize::try_from(file.metadata()?.len())?;
        let mut text = Zeroizing::new(Vec::with_capacity(size + 1));
        file.read_to_end(&mut text).context("reading what the editor left")?;
        Ok(text)
    }

    #[cfg(unix)]
    async fn run(&self, editor: &str) -> anyhow::Result<std::process::ExitStatus> {
        use tokio::signal::unix::{SignalKind, signal};
        // The shell outlives rocade: it then removes what rocade cannot.
        let script =
            format!("{editor} \"$1\"; status=$?; kill -0 \"$2\" 2>/dev/null || rm -rf \"$3\"; exit $status");
        let mut command = tokio::process::Command::from(start("sh"));
        command.args(["-c", &script, "sh"]).arg(&self.file).arg(std::process::id().to_string());
        command.arg(&self.folder).env("TMPDIR", &self.folder);
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut ended = signal(SignalKind::terminate())?;
        let mut hung_up = signal(SignalKind::hangup())?;
        let mut child = command.spawn().context("starting the editor")?;
        loop {
            tokio::select! {
                status = child.wait() => return status.context("waiting for the editor"),
                // The editor's, from the keyboard: it decides what it means.
                _ = interrupted.recv() => {}
                _ = ended.recv() => bail!("ended while the editor was open; nothing was changed"),
                _ = hung_up.recv() => bail!("the terminal is gone; nothing was changed"),
            }
        }
    }

    #[cfg(not(unix))]
    async fn run(&self, editor: &str) -> anyhow::Result<std::process::ExitStatus> {
        let mut words = editor.split(' ').filter(|word| !word.is_empty());
        let program = words.next().context("no editor")?;
        let mut command = tokio::process::Command::from(start(program));
        let mut child = command.args(words).arg(&self.file).spawn().context("starting the editor")?;
        child.wait().await.context("waiting for the editor")
    }
}

impl Drop for Edited {
    fn drop(&mut self) {
        if wipe(&self.folder).is_err() {
            say::word(&format!("{} could not be removed: it holds secrets", self.folder.display()));
        }
    }
}

/// The editor of this person: `VISUAL`, `EDITOR`, else `vi`. Vim is told to leave nothing elsewhere.
pub fn chosen() -> String {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    let editor = named.map(|words| words.trim().to_owned()).find(|words| !words.is_empty());
    let editor = editor.unwrap_or_else(|| if cfg!(windows) { "notepad" } else { "vi" }.to_owned());
    let program = editor.split(' ').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if ["vim", "nvim", "vim.basic", "vim.tiny", "gvim"].contains(&program) {
        return format!("{editor} -n -i NONE -c 'set noundofile nobackup nowritebackup noswapfile'");
    }
    editor
}

/// Where such folders are made: in memory where the system has a place for that.
fn place() -> PathBuf {
    let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let memory = named.into_iter().chain([PathBuf::from("/dev/shm")]);
    let found =
        memory.into_iter().find(|path| cfg!(unix) && path.is_dir() && tempfile::tempdir_in(path).is_ok());
    found.unwrap_or_else(|| {
        let disk = std::env::temp_dir();
        say::word(&format!("no folder in memory: the text is in {} while it is edited", disk.display()));
        disk
    })
}

/// Removes what killed runs left: folders of ours whose process is gone.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let name: OsString = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(NAME)?.split('-').next()?.parse::<u32>().ok());
        let is_gone = process.is_some_and(|id| {
            Path::new("/proc/self").exists() && !Path::new(&format!("/proc/{id}")).exists()
        });
        // Another person's cannot be entered, and stays.
        if is_gone && wipe(&entry.path()).is_ok() {
            say::word(&format!("removed {}, which a killed edit had left", entry.path().display()));
        }
    }
}

/// Overwrites every file of a folder, then removes it.
fn wipe(folder: &Path) -> std::io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
        if let (Ok(size), Ok(mut file)) =
            (entry.metadata().map(|it| it.len()), fs::OpenOptions::new().write(true).open(entry.path()))
        {
            let zeros = vec![0; usize::try_from(size).unwrap_or(0)];
            // What cannot be overwritten is removed all the same.
            let _ = file.write_all(&zeros).and_then(|()| file.sync_data());
        }
    }
    fs::remove_dir_all(folder)
}
