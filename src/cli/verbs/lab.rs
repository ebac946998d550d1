//! `lab`: simulated devices, and the main job told on them.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::{Waited, runtime};
use crate::cli::arguments::Lab as Verb;
use crate::cli::{Arguments, Exit, say};
use crate::lab::{self, Deed, Intervention, Lab};

/// The number of the first of them: beyond the inventory's own.
const FIRST_EXTENSION: u32 = 20_000;

pub fn run(arguments: &Arguments, verb: &Verb) -> anyhow::Result<Exit> {
    match verb {
        Verb::Demo => demo(arguments),
        Verb::Up { dir, boxed, extensions } => up(dir, *boxed, *extensions),
        Verb::Press { name, time } => ask(arguments, name, Intervention::Press { seconds: time.as_secs() }),
        Verb::CutPower { name } => ask(arguments, name, Intervention::CutPower),
        Verb::Turn { name, knobs } => ask(arguments, name, Intervention::Turn { knobs: knobs.clone() }),
        Verb::Uplink { name, dev_eui, frame, fcnt } => ask(
            arguments,
            name,
            Intervention::Uplink { dev_eui: dev_eui.dashed(), frame: frame.clone(), fcnt: *fcnt },
        ),
        Verb::ConduitApi { listen, state, log, fault } => {
            let served = super::wait(lab::serve_plain(*listen, state, log, fault.clone()))?;
            Ok(match served {
                Waited::Done(()) => Exit::Done,
                Waited::Interrupted => Exit::Interrupted,
            })
        }
    }
}

/// Devices until Ctrl-C, which is their ordinary end.
fn up(dir: &Path, boxed: bool, extensions: u32) -> anyhow::Result<Exit> {
    runtime()?.block_on(async {
        let mut lab = if boxed { lab::up_boxed(dir).await? } else { lab::up(dir).await? };
        let phones = lab.devices().iter().filter_map(lab::Device::threecx);
        phones.for_each(|pbx| pbx.populate(FIRST_EXTENSION, extensions));
        lab.live();
        say::data("ready");
        say::word(&format!("devices: {}; Ctrl-C ends them", dir.join("lab.json").display()));
        tokio::select! {
            ended = lab.wait() => ended?,
            _ = tokio::signal::ctrl_c() => {}
        }
        lab.stop().await;
        Ok(Exit::Done)
    })
}

/// Asks a running lab and says what it did.
fn ask(arguments: &Arguments, name: &str, intervention: Intervention) -> anyhow::Result<Exit> {
    say::data(&runtime()?.block_on(lab::ask(&arguments.directory, name, intervention))?);
    Ok(Exit::Done)
}

/// The main job, command by command, each in the words it prints for everybody.
fn demo(arguments: &Arguments) -> anyhow::Result<Exit> {
    let folder = tempfile::tempdir().context("making a folder for the demonstration")?;
    let runtime = runtime()?;
    let mut lab = runtime.block_on(lab::up(folder.path()))?;
    runtime.block_on(async { lab.live() });
    let stage = Stage { folder: folder.path(), lab: &lab, runtime: &runtime, verbose: arguments.verbose };
    let told = stage.tell();
    runtime.block_on(lab.stop());
    told.map(|()| Exit::Done)
}

struct Stage<'a> {
    folder: &'a Path,
    lab: &'a Lab,
    runtime: &'a tokio::runtime::Runtime,
    verbose: bool,
}

impl Stage<'_> {
    fn tell(&self) -> anyhow::Result<()> {
        say::data(
            "A gateway, a broker host and a 3CX run on loopback, as they come out of their boxes. Their inventory \
             (that of the 3CX is longer: inventory/head-office.yaml):",
        );
        self.list_inventory()?;
        self.step("What would have to be done?", &["plan"], Exit::Done)?;
        self.step("Do it.", &["apply", "--yes"], Exit::Done)?;
        self.nothing_left()?;
        self.step("Prove that it works.", &["verify"], Exit::Done)?;
        self.lab.send_uplinks();
        self.step("Are the sensors heard?", &["sensors"], Exit::Done)?;
        say::data("\nA firmware update goes wrong: the gateway is as it came out of its box.");
        self.press_reset()?;
        self.step("What does a plan say?", &["plan"], Exit::Failed)?;
        self.step("Put it back, with one command.", &["redeploy", "pool-gw", "--yes"], Exit::Done)?;
        self.nothing_left()?;
        self.step("And it works as before.", &["verify"], Exit::Done)?;
        say::data(
            "\nThat was the main job. `rocade lab up DIR` starts the same devices for you to play with.",
        );
        Ok(())
    }

    /// The gateway's reset button, held until it has forgotten everything.
    fn press_reset(&self) -> anyhow::Result<()> {
        let device = self.lab.device("pool-gw").ok_or_else(|| anyhow!("the gateway is gone"))?;
        let next = device.boots() + 1;
        let conduit = device.conduit().ok_or_else(|| anyhow!("pool-gw is no Conduit"))?;
        conduit.press(Duration::from_secs(35)).ok_or_else(|| anyhow!("its reset button is turned off"))?;
        self.runtime.block_on(device.until_boots(next));
        Ok(())
    }

    fn list_inventory(&self) -> anyhow::Result<()> {
        for name in ["gateways.yaml", "sensors.yaml", "brokers.yaml"] {
            let path = self.folder.join("inventory").join(name);
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
                say::data(&format!("  {}{line}{:#}", say::DIM, say::DIM));
            }
        }
        Ok(())
    }

    /// Says what comes, shows the command and runs it as typed.
    fn step(&self, title: &str, words: &[&str], expected: Exit) -> anyhow::Result<()> {
        say::data(&format!("\n{title}\n{}$ rocade {}{:#}", say::HEAD, words.join(" "), say::HEAD));
        let mut line: Vec<OsString> = vec!["rocade".into(), "-C".into(), self.folder.into()];
        line.extend(words.iter().map(OsString::from));
        if self.verbose {
            line.push("-v".into());
        }
        match crate::cli::run(line) {
            exit if exit == expected => Ok(()),
            exit => bail!("`rocade {}` ended with {}", words.join(" "), exit.code()),
        }
    }

    /// Plans and applies again and counts what the devices were asked to write.
    fn nothing_left(&self) -> anyhow::Result<()> {
        let before = self.writes();
        self.step("And again: is anything left to do?", &["apply", "--yes"], Exit::Done)?;
        let writes = self.writes() - before;
        say::data(&format!("The devices were asked for {writes} writes."));
        if writes > 0 {
            bail!("a second apply wrote {writes} times");
        }
        Ok(())
    }

    fn writes(&self) -> usize {
        let entries = self.lab.devices().iter().map(|device| device.log().entries());
        entries.map(|log| log.iter().filter(|entry| entry.kind == Deed::Write).count()).sum()
    }
}
