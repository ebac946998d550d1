//! Puts hosts back to what they kept of themselves before an apply, newest first; and tells who holds the lock
//! of a host.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use futures::future::join_all;

use super::keeping::{self, Since, Terms, Written};
use super::links::Line;
use super::{Links, Watch, Workspace};
use crate::compose::Composed;
use crate::host::guard::{WITNESS, Watched, cuts_off};
use crate::host::kept::{self, Line as Kept};
use crate::host::mark;
use crate::host::{Answer, Ask, Order, Thing};
use crate::model::{Address, Key, Outcome, Step, Target};
use crate::plan::Scope;
use crate::providers::Reach;

/// What one host keeps: the names of applies, newest first.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// The host.
    pub target: Target,
    /// Names, and what is kept under each: paths, services, pages.
    pub kept: BTreeMap<String, Vec<String>>,
}

/// How the rollback of one host ended.
#[derive(Debug)]
pub struct Undone {
    /// The host.
    pub target: Target,
    /// The paths and pages that were put back, or why not.
    pub ended: anyhow::Result<Vec<String>>,
}

/// Who holds the lock of a host.
#[derive(Debug)]
pub struct LockState {
    /// The host.
    pub target: Target,
    /// Words of the holder and the seconds it is held for; `None` when nobody does. Or why it could not be read.
    pub held: anyhow::Result<Option<(String, u64)>>,
}

fn hosts(workspace: &Workspace, scope: &Scope) -> anyhow::Result<Vec<Composed>> {
    let composed = workspace.compose(scope)?;
    Ok(composed.into_iter().filter(|one| matches!(one.site.reach, Reach::Host { .. })).collect())
}

async fn line(workspace: &Workspace, links: &Links, one: &Composed) -> anyhow::Result<Line> {
    links.open(workspace, &one.wish.target, &one.site.reach).await
}

/// What the hosts chosen keep. A host that cannot be read is an error: nothing is put back by halves.
///
/// # Errors
/// When the choice fits nothing, or a host cannot be read.
pub async fn shelved(
    workspace: &Workspace,
    scope: &Scope,
    links: &Arc<Links>,
) -> anyhow::Result<Vec<Shelved>> {
    let hosts = hosts(workspace, scope)?;
    let each = hosts.iter().map(|one| async {
        let target = one.wish.target.clone();
        let kept = read_shelf(workspace, links, one).await.with_context(|| format!("reading {target}"))?;
        Ok(Shelved { target, kept })
    });
    join_all(each).await.into_iter().collect()
}

async fn read_shelf(
    workspace: &Workspace,
    links: &Links,
    one: &Composed,
) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let line = line(workspace, links, one).await?;
    let asks = kept::FOLDERS.map(|directory| Ask::Files { directory: directory.to_owned() });
    let mut folders = Vec::new();
    for answer in line.reading().ask(&asks).await? {
        match answer {
            Answer::Names(paths) => {
                let lists = paths.iter().filter_map(|path| kept::of_list(path));
                folders.extend(lists.map(|(folder, name)| (name.to_owned(), folder.to_owned())));
            }
            Answer::Unread(why) => return Err(anyhow!("{why}")),
            _ => return Err(anyhow!("the host answered another question")),
        }
    }
    // What is older goes when this run keeps something itself.
    folders.sort();
    let folders = folders.split_off(folders.len().saturating_sub(kept::LAST));
    let asks: Vec<Ask> =
        folders.iter().map(|(_, folder)| Ask::Content { path: format!("{folder}/reverted") }).collect();
    let mut shelf = BTreeMap::new();
    for (answer, (name, _)) in line.reading().ask(&asks).await?.into_iter().zip(folders) {
        let (_, lines) = keeping::list(&line, &name).await?.context("its list is gone")?;
        // What could not be put back can be tried again; a host cannot put back the settings of its API alone.
        let has_pages = lines.iter().any(|line| matches!(line, Kept::Page { .. }));
        match answer.text()?.as_deref().map(str::trim) {
            Some(keeping::ALL_BACK) => continue,
            Some(keeping::BACK) if !has_pages => continue,
            _ => {}
        }
        shelf.insert(name, lines.iter().filter(|line| !is_mark(line)).filter_map(words).collect());
    }
    Ok(shelf)
}

/// Whether it is what rocade itself leaves there; it goes back with the rest and is not spoken of.
fn is_mark(line: &Kept) -> bool {
    matches!(line, Kept::File { path, .. } if mark::is_path(path))
}

fn words(line: &Kept) -> Option<String> {
    Some(match line {
        Kept::File { path, .. } => path.clone(),
        Kept::Service { name, .. } => format!("service {name}"),
        Kept::Page { url, .. } if url.ends_with(WITNESS) => return None,
        Kept::Page { url, .. } => url.clone(),
        Kept::Table { name, .. } => format!("firewall {name}"),
    })
}

/// Puts the hosts chosen back to what they were before the apply `to`: also what later applies did is undone,
/// the newest first. What is put back is kept itself first, under the name of this run.
///
/// # Errors
/// When the choice fits nothing.
pub async fn roll_back(
    workspace: &Workspace,
    scope: &Scope,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
    to: &str,
    terms: Terms,
) -> anyhow::Result<Vec<Undone>> {
    let hosts = hosts(workspace, scope)?;
    let guard = terms.guard(workspace)?;
    let each = hosts.iter().map(|one| async {
        let written = Written { workspace, one, links, watch: &**watch, guard: &guard, terms };
        let ended = undo(&written, to).await;
        Undone { target: one.wish.target.clone(), ended }
    });
    Ok(join_all(each).await)
}

async fn undo(written: &Written<'_>, to: &str) -> anyhow::Result<Vec<String>> {
    let Written { workspace, one, links, guard, .. } = written;
    let shelf = read_shelf(workspace, links, one).await?;
    let line = line(workspace, links, one).await?;
    let names: Vec<&String> = shelf.keys().rev().filter(|name| name.as_str() >= to).collect();
    let mut back = Vec::new();
    for name in names {
        let (_, lines) = keeping::list(&line, name).await?.context("its list is gone")?;
        let things: Vec<Thing> = lines.iter().map(thing).collect();
        let risky = lines.iter().any(is_way_in);
        let said = keeping::orders(line.writing(), &guard.before(things, risky)).await?;
        let ended = put_back(written, &line, name).await;
        let ended = ended.map_err(|fault| if risky { undone_again(&fault, guard.confirm_s) } else { fault });
        let address = Address { target: one.wish.target.clone(), key: Key::new("kept", name.as_str()) };
        let outcome = match &ended {
            Ok(_) => Outcome::Done,
            Err(fault) => Outcome::Failed(format!("{fault:#}")),
        };
        let mut steps = [Step { address, outcome }];
        let lacking = said.into_iter().find(|words| !words.is_empty());
        let watched = Watched { begun: true, armed: risky, lacking, ..Watched::default() };
        written.settle(&watched, &mut steps).await;
        if let Outcome::RolledBack(why) = &steps[0].outcome {
            bail!("{why}");
        }
        back.extend(ended?.into_iter().filter(|path| !mark::is_path(path)));
    }
    Ok(back)
}

/// A rollback that failed under a timer: nobody confirms it, and the host undoes it.
fn undone_again(fault: &anyhow::Error, seconds: u32) -> anyhow::Error {
    let again = "what this rollback had put back by then: wait for that, then run it again";
    anyhow!("{fault:#}; within {seconds} s the host undoes by itself {again}")
}

async fn put_back(written: &Written<'_>, line: &Line, name: &str) -> anyhow::Result<Vec<String>> {
    let wish = &written.one.wish;
    let provider = written.workspace.provider(wish.provider).context("no such provider")?;
    let mut back = keeping::revert(line, written.guard.lock(), name).await?;
    back.extend(keeping::put_pages_back(provider, wish, line, name, Since::SomeTime).await?);
    Ok(back)
}

fn thing(line: &Kept) -> Thing {
    match line {
        Kept::File { path, .. } => Thing::File(path.clone()),
        Kept::Service { name, .. } => Thing::Service(name.clone()),
        Kept::Page { url, .. } => Thing::Page(url.clone()),
        Kept::Table { name, .. } => Thing::Table(name.clone()),
    }
}

fn is_way_in(line: &Kept) -> bool {
    match line {
        Kept::File { path, .. } => cuts_off(&Order::Remove { path: path.clone() }),
        Kept::Service { name, .. } => {
            let act = crate::host::ServiceAct::Restart;
            cuts_off(&Order::Service { name: name.clone(), act, watch: Vec::new() })
        }
        Kept::Table { .. } => true,
        Kept::Page { .. } => false,
    }
}

/// Who holds the locks of the hosts chosen.
///
/// # Errors
/// When the choice fits nothing.
pub async fn locks(
    workspace: &Workspace,
    scope: &Scope,
    links: &Arc<Links>,
) -> anyhow::Result<Vec<LockState>> {
    let hosts = hosts(workspace, scope)?;
    let each = hosts.iter().map(|one| async {
        LockState { target: one.wish.target.clone(), held: lock_of(workspace, links, one).await }
    });
    Ok(join_all(each).await)
}

async fn lock_of(
    workspace: &Workspace,
    links: &Links,
    one: &Composed,
) -> anyhow::Result<Option<(String, u64)>> {
    let line = line(workspace, links, one).await?;
    let asks = [kept::LOCK, kept::UPTIME].map(|path| Ask::Content { path: path.to_owned() });
    let answers = line.reading().ask(&asks).await?;
    let texts: Vec<Option<String>> = answers.into_iter().map(Answer::text).collect::<anyhow::Result<_>>()?;
    let mut texts = texts.into_iter();
    let (Some(Some(lock)), uptime) = (texts.next(), texts.next().flatten()) else { return Ok(None) };
    let mut lines = lock.lines().skip(1);
    let until: u64 = lines.next().and_then(|until| until.parse().ok()).unwrap_or_default();
    let now: u64 = uptime.and_then(|text| text.split('.').next()?.parse().ok()).unwrap_or_default();
    let left = until.saturating_sub(now);
    Ok((left > 0).then(|| (lines.next().unwrap_or_default().to_owned(), left)))
}

/// Takes the lock of a host away from whoever holds it.
///
/// # Errors
/// When there is no such host, or it does not do it.
pub async fn break_lock(workspace: &Workspace, name: &str, links: &Arc<Links>) -> anyhow::Result<()> {
    let scope = Scope { names: vec![name.to_owned()], ..Scope::default() };
    let hosts = hosts(workspace, &scope)?;
    let one = hosts.first().with_context(|| format!("{name} is not reached over SSH"))?;
    let line = line(workspace, links, one).await?;
    keeping::one(line.writing(), Order::Remove { path: kept::LOCK.to_owned() }).await.map(|_| ())
}
