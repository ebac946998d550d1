//! A person's own command on hosts, as the login user: for what the inventory has no words for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Event, Line, Links, PARALLEL_TARGETS, Watch, Workspace};
use crate::host::Exec;
use crate::model::Target;
use crate::providers::Site;

/// The longest output that is kept of a host.
const OUTPUT_MAX: usize = 64 * 1024;

/// How a command ended on a host.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The host.
    pub target: Target,
    /// What it wrote on standard output, cut where it grew too long.
    pub output: String,
    /// Why it did not end well.
    pub fault: Option<String>,
}

/// Runs a command on the targets given, which are hosts reached over SSH, at once.
pub async fn command(
    workspace: &Arc<Workspace>,
    sites: Vec<Site>,
    command: &str,
    within: Duration,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> Vec<Ran> {
    let places = Arc::new(Semaphore::new(PARALLEL_TARGETS));
    let mut tasks = JoinSet::new();
    let mut owed: Vec<Target> = sites.iter().map(|site| site.target.clone()).collect();
    for site in sites {
        let (workspace, links, watch) = (Arc::clone(workspace), Arc::clone(links), Arc::clone(watch));
        let (command, places) = (command.to_owned(), Arc::clone(&places));
        tasks.spawn(async move {
            // The semaphore is never closed; without a permit the command is merely run at once.
            let _place = places.acquire().await.ok();
            watch.event(Event::Waiting(site.target.clone(), "running the command".to_owned()));
            let mut output = Vec::new();
            let fault = on_one(&workspace, &site, &command, within, &links, &mut output).await.err();
            let output = String::from_utf8_lossy(&output).into_owned();
            Ran { target: site.target, output, fault: fault.map(|fault| format!("{fault:#}")) }
        });
    }
    let mut all = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        if let Ok(ran) = ended {
            owed.retain(|target| *target != ran.target);
            all.push(ran);
        }
    }
    let fault = "rocade failed while running it; please report this";
    all.extend(owed.into_iter().map(|target| Ran {
        target,
        output: String::new(),
        fault: Some(fault.into()),
    }));
    all.sort_by(|a, b| a.target.cmp(&b.target));
    all
}

async fn on_one(
    workspace: &Workspace,
    site: &Site,
    command: &str,
    within: Duration,
    links: &Links,
    output: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let Line::Host(host) = links.open(workspace, &site.target, &site.reach).await? else {
        anyhow::bail!("it is not reached over SSH");
    };
    let argv = ["sh", "-c", command].map(str::to_owned);
    let mut take = |piece: &[u8]| {
        let room = OUTPUT_MAX.saturating_sub(output.len()).min(piece.len());
        output.extend_from_slice(&piece[..room]);
    };
    let ended = Exec::exec(host.exec(), &argv, b"", &mut take, within).await?;
    match ended.status {
        Some(0) => Ok(()),
        Some(status) => anyhow::bail!("it ended with {status}{}", said(&ended.stderr)),
        None => anyhow::bail!("a signal ended it{}", said(&ended.stderr)),
    }
}

/// The last line of what it complained of.
fn said(stderr: &str) -> String {
    let last = stderr.lines().rfind(|line| !line.trim().is_empty());
    last.map(|line| format!(": {}", line.trim())).unwrap_or_default()
}
