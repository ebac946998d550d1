//! What an apply leaves on a host: from which commit it stands as it does. It is written with the orders, and read
//! with the questions of the next plan.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Answer, Ask, Order, Ruling};
use crate::model::Secret;
use crate::transport::Hosting;

/// Where it lies: on a Conduit, where an upgrade leaves it; elsewhere.
const PATHS: [&str; 2] = ["/var/config/rocade/applied", "/var/lib/rocade/applied"];

/// Where it lies on a target of a kind.
pub fn path(kind: &str) -> &'static str {
    if kind == "gateway" { PATHS[0] } else { PATHS[1] }
}

/// Whether a path is that of a mark.
pub fn is_path(path: &str) -> bool {
    PATHS.contains(&path)
}

/// The last apply of a host that came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its name.
    pub apply: String,
    /// Who ran it: `ada@laptop`.
    pub by: String,
    /// The commit it was made of.
    pub commit: String,
    /// Files differed from that commit.
    pub dirty: bool,
}

/// What a host tells of the applies that wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// The mark it has.
    pub mark: Option<Mark>,
    /// The last apply that something is kept for and that was not put back. One that left no mark did not come to
    /// its end, or was run outside git.
    pub last_kept: Option<String>,
}

impl Mark {
    /// The order that leaves it.
    pub fn order(&self, path: &str) -> Order {
        let text = serde_json::to_string(self).unwrap_or_default();
        let word = |text: &str| text.to_owned();
        let content = Secret::new(format!("{text}\n"), "mark");
        Order::Put { path: word(path), content, mode: word("0644"), owner: word("root"), group: word("root") }
    }
}

/// Where a host keeps what it was before each apply.
fn kept_beside(mark: &str) -> String {
    format!("{}/kept", mark.rsplit_once('/').map_or(mark, |(folder, _)| folder))
}

/// The last apply that something is kept for and that was not put back.
fn last_kept(names: &[String], kept: &str) -> Option<String> {
    let of_apply = |path: &String| {
        let name = path.strip_prefix(kept)?.strip_prefix('/')?.strip_suffix("/list")?;
        (!names.contains(&format!("{kept}/{name}/reverted"))).then(|| name.to_owned())
    };
    names.iter().filter_map(of_apply).max()
}

/// A host that is asked for its mark along with the first questions; the one who asks them sees nothing of it.
pub struct Marked<'a> {
    host: &'a dyn Hosting,
    path: &'static str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: bool,
    traces: Option<Traces>,
}

impl<'a> Marked<'a> {
    /// A host of a kind.
    pub fn new(host: &'a dyn Hosting, kind: &str) -> Self {
        Self { host, path: path(kind), state: Mutex::default() }
    }

    /// What it told.
    pub fn traces(&self) -> Option<Traces> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).traces.clone()
    }
}

impl Hosting for Marked<'_> {
    fn ask<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, anyhow::Result<Vec<Answer>>> {
        Box::pin(async move {
            let first = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                !std::mem::replace(&mut state.asked, true)
            };
            if !first {
                return self.host.ask(asks).await;
            }
            let mut all = asks.to_vec();
            let kept = kept_beside(self.path);
            all.push(Ask::Content { path: self.path.to_owned() });
            all.push(Ask::Files { directory: kept.clone() });
            let mut answers = self.host.ask(&all).await?;
            let names = match answers.pop() {
                Some(Answer::Names(names)) => names,
                _ => Vec::new(),
            };
            // A mark that cannot be read is none: the plan does without.
            let text = answers.pop().and_then(|answer| answer.text().ok()).flatten();
            let mark = text.and_then(|text| serde_json::from_str::<Mark>(&text).ok());
            let traces = Traces { mark, last_kept: last_kept(&names, &kept) };
            self.state.lock().unwrap_or_else(PoisonError::into_inner).traces = Some(traces);
            Ok(answers)
        })
    }

    fn order<'a>(
        &'a self,
        orders: &'a [Order],
        each: &'a mut (dyn FnMut(usize, Ruling) + Send),
    ) -> BoxFuture<'a, ()> {
        self.host.order(orders, each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apply_that_left_no_mark_is_noticed() {
        let kept = kept_beside(path("broker"));
        assert_eq!(kept, crate::host::kept::FOLDERS[1]);
        assert_eq!(kept_beside(path("gateway")), crate::host::kept::FOLDERS[0]);
        let names = ["1/list", "1/0", "2/list", "3/list", "3/reverted"].map(|name| format!("{kept}/{name}"));
        assert_eq!(last_kept(&names, &kept).as_deref(), Some("2"));
        assert_eq!(last_kept(&names[3..], &kept), None);
    }
}
