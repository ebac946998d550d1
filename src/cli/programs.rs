//! Programs on the engineer's own machine: Python for the relay's decoders, git, and the editor.

pub mod editor;
pub mod git;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail};

use crate::template::Templates;

/// Names of Python 3 in the order they are tried; Windows calls it `python` or `py`.
const PYTHONS: [&str; 3] = ["python3", "python", "py"];

/// Runs the relay's `decode.py` with the arguments given; its input is ours, its output is returned as it
/// comes through `out`.
///
/// # Errors
/// When no Python 3 is found, or the decoder itself fails.
pub fn decode(templates: &Templates, arguments: &[String], piped: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("making a folder for the decoders")?;
    unpack(templates, folder.path())?;
    let python = PYTHONS
        .iter()
        .find(|name| answers(name))
        .ok_or_else(|| anyhow!("no Python 3 on this machine: the decoders are the relay's own, in Python"))?;
    let mut child = start(python)
        .arg("-B")
        .arg(folder.path().join("decode.py"))
        .args(arguments)
        .stdin(if piped { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {python}"))?;
    let mut output = child.stdout.take().context("the decoder has no output")?;
    let mut stream = std::io::stdout().lock();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = output.read(&mut buffer).context("reading the decoder's output")?;
        if length == 0 {
            break;
        }
        stream.write_all(&buffer[..length]).and_then(|()| stream.flush()).context("writing the result")?;
    }
    let status = child.wait().context("waiting for the decoder")?;
    if !status.success() {
        bail!("the decoder ended with {status}");
    }
    Ok(())
}

fn unpack(templates: &Templates, folder: &Path) -> anyhow::Result<()> {
    const RELAY: &str = "conduit/relay";
    for path in templates.sources(RELAY) {
        let inside = path.strip_prefix(RELAY).unwrap_or(&path).trim_start_matches('/');
        let file = folder.join(inside);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        std::fs::write(&file, templates.source(&path)?)
            .with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that starts local programs")]
pub(super) fn start(program: &str) -> Command {
    Command::new(program)
}

fn answers(python: &str) -> bool {
    let check = "import sys; sys.exit(sys.version_info < (3, 8))";
    start(python)
        .args(["-c", check])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
