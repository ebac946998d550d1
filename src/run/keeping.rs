//! Around the writing of one host: who holds the lock, what is confirmed over a new connection, what is put
//! back when it went wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::links::Line;
use super::workspace::Workspace;
use super::{Event, Links, Watch};
use crate::compose::Composed;
use crate::host::guard::{Guard, LOCK_S, WITNESS, Watched};
use crate::host::kept::{self, read_list};
use crate::host::mark::{self, Mark};
use crate::host::{Answer, Ask, Order, Page, Ruling};
use crate::model::{Outcome, Secret, Step};
use crate::providers::{PageThenAndNow, Provider};
use crate::repository;
use crate::transport::Writing;
use crate::transport::ssh::SshFault;

/// What an apply does when it goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Whether a target of which a change failed is put back to what it was.
    pub rollback: bool,
    /// How long a change that could cut us off waits for its confirmation.
    pub confirm: Duration,
}

impl Default for Terms {
    /// Put back; two minutes.
    fn default() -> Self {
        Self { rollback: true, confirm: Duration::from_secs(120) }
    }
}

impl Terms {
    /// The guard of one apply's writing.
    ///
    /// # Errors
    /// When the repository's own name cannot be read or kept.
    pub(super) fn guard(self, workspace: &Workspace) -> anyhow::Result<Guard> {
        let name = workspace.apply_name().to_owned();
        let confirm_s = u32::try_from(self.confirm.as_secs()).unwrap_or(u32::MAX);
        let holder = repository::identity(workspace.root())?;
        let mark = workspace.commit().map(|commit| Mark {
            apply: name.clone(),
            by: workspace.person().to_owned(),
            commit: commit.id.clone(),
            dirty: commit.dirty,
        });
        Ok(Guard { holder, words: workspace.signature(), name, confirm_s, mark })
    }
}

/// A host whose writing came to its end.
pub(super) struct Written<'a> {
    pub workspace: &'a Workspace,
    pub one: &'a Composed,
    pub links: &'a Links,
    pub watch: &'a dyn Watch,
    pub guard: &'a Guard,
    pub terms: Terms,
}

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the host is given to put everything back once its time ran out.
const REVERT: Duration = Duration::from_secs(60);
/// How much of that passes before the host is asked: who comes while it is still at it is refused, and who
/// insists is locked out.
const HEADSTART: Duration = Duration::from_secs(10);

impl Written<'_> {
    /// Holds on to the lock while `work` goes on.
    pub(super) async fn holding<T>(&self, hand: Writing<'_>, work: impl Future<Output = T>) -> T {
        let beat = async {
            loop {
                tokio::time::sleep(Duration::from_secs(u64::from(LOCK_S) / 3)).await;
                hand.order(&[self.guard.lock()], &mut |_, _| {}).await;
            }
        };
        tokio::select! {
            ended = work => ended,
            () = beat => unreachable!("the beat has no end"),
        }
    }

    /// Confirms what was written or puts it back, and gives the lock back. What was put back is no longer
    /// done.
    pub(super) async fn settle(&self, watched: &Watched, steps: &mut [Step]) {
        if let Some(lacking) = &watched.lacking {
            self.say(&format!("a power cut would end its timer: {lacking}"));
        }
        let good = steps.iter().all(|step| step.outcome == Outcome::Done);
        let touched = steps.iter().any(|step| matches!(step.outcome, Outcome::Done | Outcome::Unknown(_)));
        let ended = if !watched.begun || watched.refused.is_some() {
            Ok(None)
        } else if watched.armed && (good || !self.terms.rollback) {
            self.confirm().await
        } else if !good && touched && self.terms.rollback {
            let begun = tokio::time::Instant::now();
            match self.roll_back().await {
                Err(fault) if watched.armed => self.left_to_it(begun, &fault).await.map(Some),
                ended => ended.map(Some),
            }
        } else {
            Ok(None)
        };
        match ended {
            Ok(None) => {}
            Ok(Some(outcome)) => {
                for step in steps.iter_mut() {
                    if matches!(step.outcome, Outcome::Done | Outcome::Unknown(_)) {
                        step.outcome = outcome.clone();
                    }
                }
            }
            Err(fault) => {
                self.say(&format!("it was not put back: {fault:#}"));
                // The host may have put back some of it, or may do so yet.
                for step in steps.iter_mut().filter(|step| step.outcome == Outcome::Done) {
                    step.outcome = Outcome::Unknown(format!("it may have been put back: {fault:#}"));
                }
            }
        }
        // Also when nobody knows how much was put back: no commit stands for that.
        let left = |step: &Step| matches!(step.outcome, Outcome::Done | Outcome::Unknown(_));
        let half_way = !good && touched && steps.iter().any(left);
        let unmark = self.guard.mark.as_ref().filter(|_| half_way && watched.begun).map(|_| {
            let path = mark::path(&self.one.wish.target.kind).to_owned();
            Order::Remove { path }
        });
        if (watched.given_back || !watched.begun) && unmark.is_none() {
            return;
        }
        if let Ok(line) = self.links.open(self.workspace, &self.one.wish.target, &self.one.site.reach).await {
            let orders: Vec<Order> = unmark.into_iter().chain([self.guard.unlock()]).collect();
            line.writing().order(&orders, &mut |_, _| {}).await;
        }
    }

    fn say(&self, words: &str) {
        self.watch.event(Event::Said(self.one.wish.target.clone(), words.to_owned()));
    }

    /// A new connection over which the target can be read as it should be.
    async fn prove(&self) -> anyhow::Result<Line> {
        let target = &self.one.wish.target;
        let line = self.links.renew(self.workspace, target, &self.one.site.reach).await?;
        let provider = self.workspace.provider(self.one.wish.provider).context("no such provider")?;
        let seen = provider.observe(&self.one.wish, line.reading()).await;
        match crate::plan::unreachable(&seen.unread).first() {
            Some(entry) => Err(anyhow!("{}", entry.reason)),
            None => Ok(line),
        }
    }

    /// Confirms over a new connection, or waits until the host has put everything back: what became of the
    /// changes then.
    async fn confirm(&self) -> anyhow::Result<Option<Outcome>> {
        let begun = tokio::time::Instant::now();
        self.say("this could cut us off: confirming over a new connection");
        let fault = loop {
            match self.prove().await {
                Ok(line) => {
                    let order = Order::Confirm { name: self.guard.name.clone() };
                    match one(line.writing(), order).await {
                        Ok(_) => return Ok(None),
                        Err(fault) => break fault,
                    }
                }
                // Who insists is locked out.
                Err(fault) if is_refusal(&fault) => break fault,
                Err(fault) if begun.elapsed() + PAUSE >= self.terms.confirm => break fault,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        };
        self.left_to_it(begun, &fault).await.map(Some)
    }

    /// Waits until the host has put everything back by itself.
    async fn left_to_it(
        &self,
        begun: tokio::time::Instant,
        fault: &anyhow::Error,
    ) -> anyhow::Result<Outcome> {
        self.say(&format!("no way in ({fault:#}): waiting until it has put everything back by itself"));
        self.until_reverted(begun + self.terms.confirm + REVERT).await?;
        Ok(Outcome::RolledBack(format!("the target did it by itself: {fault:#}")))
    }

    async fn until_reverted(&self, limit: tokio::time::Instant) -> anyhow::Result<()> {
        let target = &self.one.wish.target;
        let asks = kept::FOLDERS
            .map(|folder| Ask::Content { path: format!("{folder}/{}/reverted", self.guard.name) });
        let mut fault = anyhow!("its time was over before it was asked");
        tokio::time::sleep_until(limit - REVERT + HEADSTART).await;
        while tokio::time::Instant::now() < limit {
            let line = self.links.renew(self.workspace, target, &self.one.site.reach).await;
            match line {
                Err(refused) if is_refusal(&refused) => return Err(refused),
                Err(other) => fault = other,
                Ok(line) => {
                    let answers = line.reading().ask(&asks).await.unwrap_or_default();
                    match answers.into_iter().find_map(|answer| answer.text().ok().flatten()) {
                        Some(word) if word.trim() == BACK => return self.put_pages_back(&line).await,
                        Some(why) => bail!("the host could not put it back: {}", why.trim()),
                        None => fault = anyhow!("it has not put anything back yet"),
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(fault)
    }

    /// Puts everything back now; what became of the changes then.
    async fn roll_back(&self) -> anyhow::Result<Outcome> {
        let target = &self.one.wish.target;
        self.links.drop_lost().await;
        let line = self.links.open(self.workspace, target, &self.one.site.reach).await?;
        // What is there is kept before anything else is done.
        if list(&line, &self.guard.name).await?.is_none() {
            return Ok(Outcome::NotStarted("the connection broke before anything was begun".to_owned()));
        }
        revert(&line, self.guard.lock(), &self.guard.name).await?;
        self.put_pages_back(&line).await?;
        self.say("a change failed: what this apply had done to it was put back");
        Ok(Outcome::RolledBack("another change failed".to_owned()))
    }

    async fn put_pages_back(&self, line: &Line) -> anyhow::Result<()> {
        let provider = self.workspace.provider(self.one.wish.provider).context("no such provider")?;
        put_pages_back(provider, &self.one.wish, line, &self.guard.name, Since::ThisRun).await.map(|_| ())
    }
}

fn is_refusal(fault: &anyhow::Error) -> bool {
    matches!(fault.downcast_ref::<SshFault>(), Some(SshFault::LoginRefused { .. }))
}

/// Gives one order and waits for its end; its output.
///
/// # Errors
/// When it did not end well.
pub(super) async fn one(hand: Writing<'_>, order: Order) -> anyhow::Result<String> {
    orders(hand, &[order]).await.map(|mut outputs| outputs.pop().unwrap_or_default())
}

/// Gives orders and waits for their end; the output of each.
///
/// # Errors
/// When one did not end well.
pub(super) async fn orders(hand: Writing<'_>, orders: &[Order]) -> anyhow::Result<Vec<String>> {
    let mut outputs = Vec::new();
    let mut fault = None;
    hand.order(orders, &mut |_, ruling| match ruling {
        Ruling::Done(done) => outputs.push(done.output),
        Ruling::Failed(why) | Ruling::Unknown(why) => fault = fault.take().or(Some(why)),
        Ruling::NotStarted => {}
    })
    .await;
    match fault {
        Some(why) => Err(anyhow!("{why}")),
        None => Ok(outputs),
    }
}

/// Takes the lock and puts back what is kept under a name; the paths that were put back.
///
/// # Errors
/// When the host could not, or what it put back is not as it was.
pub(super) async fn revert(line: &Line, lock: Order, name: &str) -> anyhow::Result<Vec<String>> {
    let outputs = orders(line.writing(), &[lock, Order::Revert { name: name.to_owned() }]).await?;
    Ok(outputs.last().map(|paths| paths.lines().map(str::to_owned).collect()).unwrap_or_default())
}

/// What is kept under a name on a host: the list's lines and the folder they are in.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn list(line: &Line, name: &str) -> anyhow::Result<Option<(String, Vec<kept::Line>)>> {
    let asks = kept::FOLDERS.map(|folder| Ask::Content { path: format!("{folder}/{name}/list") });
    let answers = line.reading().ask(&asks).await?;
    for (answer, folder) in answers.into_iter().zip(kept::FOLDERS) {
        let text = answer.text().with_context(|| format!("reading {folder}/{name}/list"))?;
        if let Some(text) = text {
            return Ok(Some((format!("{folder}/{name}"), read_list(&text))));
        }
    }
    Ok(None)
}

/// Since when pages may have changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// In this run: what is unsaved was written by it.
    ThisRun,
    /// Some time ago: what is unsaved may be a person's.
    SomeTime,
}

/// What a host writes beside what it kept once that is put back; and what is written there once its API's
/// settings are too, which only rocade can.
pub(super) const BACK: &str = "ok";
pub(super) const ALL_BACK: &str = "ok, and its settings";

/// Makes an API's pages show again what they showed when they were kept, and reads them again. The URLs of
/// those that showed something else.
///
/// # Errors
/// When they could not be read, or do not show it.
pub(super) async fn put_pages_back(
    provider: &dyn Provider,
    wish: &crate::model::Wish,
    line: &Line,
    name: &str,
    since: Since,
) -> anyhow::Result<Vec<String>> {
    let Some((folder, lines)) = list(line, name).await? else { return Ok(Vec::new()) };
    let pages: Vec<(String, String)> = lines
        .into_iter()
        .filter_map(|line| match line {
            kept::Line::Page { url, body } => Some((url, format!("{folder}/{body}"))),
            _ => None,
        })
        .filter(|(url, _)| since == Since::ThisRun || !url.ends_with(WITNESS))
        .collect();
    if pages.is_empty() {
        return Ok(Vec::new());
    }
    let then = read_kept(line, &pages).await?;
    let mut touched = false;
    // Dropping what was not saved need not be enough: the second time it is written.
    for _ in 0..2 {
        let before = read_pages(line, &pages, &then).await?;
        let orders_back = provider.put_back(wish, &before).map_err(|why| anyhow!("{why}"))?;
        if orders_back.is_empty() {
            break;
        }
        touched = true;
        orders(line.writing(), &orders_back).await.context("putting the API's settings back")?;
    }
    if touched {
        let after = read_pages(line, &pages, &then).await?;
        let left = provider.put_back(wish, &after).map_err(|why| anyhow!("{why}"))?;
        anyhow::ensure!(left.is_empty(), "the API's settings are not as they were");
    }
    one(line.writing(), all_back(&folder)).await?;
    let pages = pages.into_iter().map(|(url, _)| url).filter(|url| touched && !url.ends_with(WITNESS));
    Ok(pages.collect())
}

fn all_back(folder: &str) -> Order {
    let root = || "root".to_owned();
    Order::Put {
        path: format!("{folder}/reverted"),
        content: Secret::new(format!("{ALL_BACK}\n"), "the end of a rollback"),
        mode: "0600".to_owned(),
        owner: root(),
        group: root(),
    }
}

async fn read_kept(line: &Line, pages: &[(String, String)]) -> anyhow::Result<Vec<Secret>> {
    let asks: Vec<Ask> = pages.iter().map(|(_, path)| Ask::Content { path: path.clone() }).collect();
    let answers = line.reading().ask(&asks).await?;
    let body = |(answer, (_, path)): (Answer, &(String, String))| match answer {
        Answer::Content(Some(body)) => Ok(body),
        Answer::Unread(why) => Err(anyhow!("{path}: {why}")),
        _ => Err(anyhow!("{path} is gone")),
    };
    answers.into_iter().zip(pages).map(body).collect()
}

async fn read_pages(
    line: &Line,
    pages: &[(String, String)],
    then: &[Secret],
) -> anyhow::Result<BTreeMap<String, PageThenAndNow>> {
    let asks: Vec<Ask> = pages.iter().map(|(url, _)| Ask::Get { url: url.clone() }).collect();
    let answers = line.reading().ask(&asks).await?;
    let page = |((answer, then), (url, _)): ((Answer, &Secret), &(String, String))| {
        let now: Page = match answer {
            Answer::Page(page) => page,
            Answer::Unread(why) => bail!("{url}: {why}"),
            _ => bail!("{url}: the host answered another question"),
        };
        Ok((url.clone(), PageThenAndNow { then: then.clone(), now }))
    };
    answers.into_iter().zip(then).zip(pages).map(page).collect()
}
