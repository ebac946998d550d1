//! What a simulated host keeps of itself, its timer and its lock, as `host/program/keep.sh` has them on real
//! ones. A timer that has run out is noticed at the next thing asked or ordered: nobody could look earlier.

use std::time::Duration;

use super::files::{FileEntry, Files};
use super::held;
use super::machine::{State, VirtualHost};
use crate::host::guard::WITNESS;
use crate::host::kept::{FOLDERS, HOOKS, LOCK, Line, UPTIME, Was, read_list};
use crate::host::{FileKind, Order, ServiceAct, Thing};

/// The timer of a host: when it runs out, the time it is given anew, and the name it is for.
#[derive(Clone, Debug, Default)]
pub struct Timer(Option<(tokio::time::Instant, Duration, String)>);

fn folder(state: &State, name: &str) -> String {
    let kept = if state.files.get("/var/config").is_some() { FOLDERS[0] } else { FOLDERS[1] };
    format!("{kept}/{name}")
}

fn write(files: &mut Files, path: &str, bytes: impl Into<Vec<u8>>) -> Result<(), String> {
    if let Some((folder, _)) = path.rsplit_once('/') {
        files.directory(folder, 0o700, "root", "root")?;
    }
    files.put(path, bytes.into(), 0o600, "root", "root")
}

/// The seconds since the host was made.
fn uptime(host: &VirtualHost) -> u64 {
    host.made.elapsed().as_secs() + 1000
}

/// The text of the clock nobody sets, when a path is its.
pub fn clock(host: &VirtualHost, path: &str) -> Option<String> {
    (path == UPTIME).then(|| format!("{}.00 0.00\n", uptime(host)))
}

impl VirtualHost {
    /// Carries out orders about what is kept, the timer and the lock; `None` for all others.
    pub(super) async fn keep_watch(&self, order: &Order) -> Option<Result<String, String>> {
        let done = |()| String::new();
        Some(match order {
            Order::Keep { name, things } => self.keep(name, things).map(done),
            Order::Arm { name, seconds } => self.arm(name, *seconds).map(done),
            Order::Confirm { name } => self.confirm(name).map(done),
            Order::Revert { name } => {
                held(&self.timer).0 = None;
                let ended = self.revert(name).await;
                self.tell_end(name, ended.as_ref().err());
                ended
            }
            Order::Lock { holder, seconds, words } => self.lock(holder, *seconds, words).map(done),
            Order::Unlock { holder } => self.unlock(holder).map(done),
            _ => return None,
        })
    }

    /// Puts back what a timer that has run out was set for. Called before everything else.
    pub(super) async fn look_at_timer(&self) {
        let due = {
            let mut timer = held(&self.timer);
            timer.0.take_if(|(until, ..)| tokio::time::Instant::now() >= *until)
        };
        let Some((_, _, name)) = due else { return };
        let ended = self.revert(&name).await;
        self.drop_unsaved(&name);
        self.tell_end(&name, ended.err().as_ref());
    }

    /// Says beside what is kept how putting it back ended. What went with a reset has nobody who would read it.
    fn tell_end(&self, name: &str, fault: Option<&String>) {
        let mut state = held(&self.state);
        let place = folder(&state, name);
        drop_hook(&mut state);
        if state.files.get(&format!("{place}/list")).is_none() {
            return;
        }
        let _none_was_armed = state.files.remove(&format!("{place}/armed"));
        let word = fault.map_or("ok", String::as_str).to_owned();
        let _folder_stands = write(&mut state.files, &format!("{place}/reverted"), word);
    }

    /// Drops settings that run unsaved, when none did before.
    fn drop_unsaved(&self, name: &str) {
        let lines = {
            let state = held(&self.state);
            let place = folder(&state, name);
            let lines = read_list(&state.files.text(&format!("{place}/list")).unwrap_or_default());
            let was = |body: &str| state.files.text(&format!("{place}/{body}")).unwrap_or_default();
            let page = |line: &Line| match line {
                Line::Page { url, body } if url.ends_with(WITNESS) => Some((url.clone(), was(body))),
                _ => None,
            };
            lines.iter().filter_map(page).collect::<Vec<_>>()
        };
        for (url, then) in lines {
            let now = self.works.page("GET", &url, &[]);
            let now = now.map(|page| String::from_utf8_lossy(page.body.reveal()).into_owned());
            let says =
                |text: &str, word: &str| text.replace(' ', "").contains(&format!("\"dbDirty\":{word}"));
            if says(&then, "false") && now.is_ok_and(|now| says(&now, "true")) {
                let revert = url.replace("/api/system", "/api/command/revert");
                let _answer = self.works.page("POST", &revert, &[]);
            }
        }
    }

    /// The timer is given its time anew by each order that ends well.
    pub(super) fn extend_timer(&self) {
        if let Some((until, time, _)) = &mut held(&self.timer).0 {
            *until = tokio::time::Instant::now() + *time;
        }
    }

    /// The power went: nobody holds the lock, and the hook at boot puts back what was armed.
    pub(in crate::lab) fn forget_watch(&self) {
        let mut timer = held(&self.timer);
        let mut state = held(&self.state);
        match &mut timer.0 {
            Some((until, ..)) if HOOKS.iter().any(|hook| state.files.get(hook).is_some()) => {
                *until = tokio::time::Instant::now();
            }
            none => *none = None,
        }
        let _none_was_there = state.files.remove(LOCK);
    }

    fn keep(&self, name: &str, things: &[Thing]) -> Result<(), String> {
        let pages: Vec<_> = things
            .iter()
            .filter_map(|thing| match thing {
                Thing::Page(url) => Some((url, self.works.page("GET", url, &[]))),
                _ => None,
            })
            .collect();
        // An earlier apply that waits to be confirmed did not cut anybody off.
        held(&self.timer).0.take_if(|(_, _, other)| other != name);
        let mut state = held(&self.state);
        let place = folder(&state, name);
        let list = format!("{place}/list");
        let mut lines = read_list(&state.files.text(&list).unwrap_or_default());
        for thing in things {
            let number = lines.len().to_string();
            let line = match thing {
                Thing::File(path) => file_line(&mut state, &place, number, path)?,
                Thing::Service(name) => service_line(&state, name),
                Thing::Table(name) => {
                    let rules = state.firewall.get(name).cloned();
                    let kept = rules.as_ref().map(|_| number.clone());
                    if let Some(rules) = rules {
                        write(&mut state.files, &format!("{place}/{number}"), rules)?;
                    }
                    Line::Table { name: name.clone(), rules: kept }
                }
                Thing::Page(url) => {
                    let page = pages.iter().find(|(own, _)| *own == url).map(|(_, page)| page);
                    let page = page.and_then(|page| page.as_ref().ok()).ok_or("the API does not answer")?;
                    let body = page.body.reveal().to_vec();
                    write(&mut state.files, &format!("{place}/{number}"), body)?;
                    Line::Page { url: url.clone(), body: number }
                }
            };
            if !lines.iter().any(|own| is_same_thing(own, &line)) {
                lines.push(line);
            }
        }
        let text: String = lines.iter().map(Line::write).collect();
        write(&mut state.files, &list, text)
    }

    fn arm(&self, name: &str, seconds: u32) -> Result<(), String> {
        let mut state = held(&self.state);
        let place = folder(&state, name);
        write(&mut state.files, &format!("{place}/armed"), "")?;
        if let Some(hook) = HOOKS.iter().find(|hook| state.files.get(parent(hook)).is_some()) {
            state.files.put(hook, place.clone().into(), 0o755, "root", "root")?;
        }
        let time = Duration::from_secs(seconds.into());
        let until = tokio::time::Instant::now() + time;
        held(&self.timer).0 = Some((until, time, name.to_owned()));
        Ok(())
    }

    fn confirm(&self, name: &str) -> Result<(), String> {
        let taken = held(&self.timer).0.take_if(|(_, _, own)| own == name);
        let mut state = held(&self.state);
        let place = folder(&state, name);
        taken.ok_or("the time ran out and it was put back")?;
        state.files.remove(&format!("{place}/armed"))?;
        drop_hook(&mut state);
        write(&mut state.files, &format!("{place}/confirmed"), "")
    }

    async fn revert(&self, name: &str) -> Result<String, String> {
        let (place, lines) = {
            let state = held(&self.state);
            let place = folder(&state, name);
            let list = state.files.text(&format!("{place}/list"));
            (place, read_list(&list.ok_or_else(|| format!("nothing is kept as {name}"))?))
        };
        let services = |lines: &[Line]| -> Vec<(String, [bool; 3])> {
            let service = |line: &Line| match line {
                Line::Service { name, state } => Some((name.clone(), *state)),
                _ => None,
            };
            lines.iter().filter_map(service).collect()
        };
        for (service, [_, enabled, ran]) in services(&lines) {
            let has = held(&self.state).has_service(&service);
            if has && !ran {
                self.serve(&service, ServiceAct::Stop, &[]).await?;
            }
            if has && !enabled {
                self.serve(&service, ServiceAct::Disable, &[]).await?;
            }
        }
        let mut moved = String::new();
        for line in lines.iter().rev() {
            if let Line::File { path, was } = line
                && put_back(&mut held(&self.state).files, &place, path, was)?
            {
                moved.push_str(path);
                moved.push('\n');
            }
        }
        for (service, [present, enabled, ran]) in services(&lines) {
            if present && enabled {
                self.serve(&service, ServiceAct::Enable, &[]).await?;
            }
            if present && ran && (!moved.is_empty() || !held(&self.state).runs(&service)) {
                self.serve(&service, ServiceAct::Restart, &[]).await?;
            }
        }
        let mut state = held(&self.state);
        for line in &lines {
            if let Line::Table { name, rules } = line {
                let rules = rules.as_ref().and_then(|rules| state.files.text(&format!("{place}/{rules}")));
                match rules {
                    Some(rules) => drop(state.firewall.insert(name.clone(), rules)),
                    None => drop(state.firewall.remove(name)),
                }
            }
        }
        Ok(moved)
    }

    fn lock(&self, holder: &str, seconds: u32, words: &str) -> Result<(), String> {
        let now = uptime(self);
        let mut state = held(&self.state);
        let text = state.files.text(LOCK).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        if let [other, until, theirs] = lines.as_slice()
            && *other != holder
            && let Some(left) = until.parse::<u64>().ok().and_then(|until| until.checked_sub(now + 1))
        {
            return Err(format!("it is locked for {} s more: {theirs}", left + 1));
        }
        write(&mut state.files, LOCK, format!("{holder}\n{}\n{words}\n", now + u64::from(seconds)))
    }

    fn unlock(&self, holder: &str) -> Result<(), String> {
        let mut state = held(&self.state);
        let text = state.files.text(LOCK).unwrap_or_default();
        if text.lines().next() == Some(holder) {
            state.files.remove(LOCK)?;
        }
        Ok(())
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn drop_hook(state: &mut State) {
    for hook in HOOKS {
        let _none_was_there = state.files.remove(hook);
    }
}

fn is_same_thing(a: &Line, b: &Line) -> bool {
    match (a, b) {
        (Line::File { path: a, .. }, Line::File { path: b, .. })
        | (Line::Service { name: a, .. }, Line::Service { name: b, .. })
        | (Line::Table { name: a, .. }, Line::Table { name: b, .. })
        | (Line::Page { url: a, .. }, Line::Page { url: b, .. }) => a == b,
        _ => false,
    }
}

fn owner(entry: &FileEntry) -> [String; 3] {
    [format!("{:o}", entry.mode), entry.owner.clone(), entry.group.clone()]
}

fn file_line(state: &mut State, place: &str, number: String, path: &str) -> Result<Line, String> {
    let was = match state.files.get(path) {
        None => Was::Absent,
        Some(entry) if entry.kind == FileKind::Directory => Was::Directory(owner(entry)),
        Some(entry) => {
            let (bytes, facts, owner) = (entry.bytes.clone(), entry.facts(), owner(entry));
            write(&mut state.files, &format!("{place}/{number}"), bytes)?;
            Was::File(number, facts.sha256.unwrap_or_default(), owner)
        }
    };
    Ok(Line::File { path: path.to_owned(), was })
}

fn service_line(state: &State, name: &str) -> Line {
    let service = state.services.get(name);
    let present = state.has_service(name);
    let flags = service.map_or([false; 2], |service| [service.enabled, service.running]);
    Line::Service { name: name.to_owned(), state: [present, present && flags[0], present && flags[1]] }
}

/// Makes a path what it was; true when it was something else.
fn put_back(files: &mut Files, place: &str, path: &str, was: &Was) -> Result<bool, String> {
    let now = files.get(path).map(|entry| (entry.kind, owner(entry), entry.facts().sha256));
    let mode = |mode: &str| u32::from_str_radix(mode, 8).map_err(|_| format!("{mode}: no mode"));
    match (was, now) {
        (Was::Absent, Some((FileKind::Regular, ..))) => files.remove(path),
        (Was::File(bytes, sum, [bits, owner, group]), now) => {
            let owned = [bits.clone(), owner.clone(), group.clone()];
            if now.is_some_and(|(_, own, has)| own == owned && has.as_ref() == Some(sum)) {
                return Ok(false);
            }
            let bytes = files.bytes(&format!("{place}/{bytes}")).ok_or("what was kept is gone")?.to_vec();
            files.put(path, bytes, mode(bits)?, owner, group)?;
            Ok(true)
        }
        (Was::Directory([bits, owner, group]), Some((_, own, _)))
            if own != [bits.clone(), owner.clone(), group.clone()] =>
        {
            files.own(path, mode(bits)?, owner, group)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
