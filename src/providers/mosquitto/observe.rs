//! Reads a broker's host in one exec. What one answer lacks is named; the rest stands.

use super::desire::watched;
use super::{CONF_D, FOLDER, PASSWD, SERVICE, candidate, firewall, lockout, passwd, version};
use crate::host::{Answer, Ask, files, packages, services};
use crate::model::{Fields, Key, Observed, Value, Wish};
use crate::providers::clock::seen as clock;
use crate::transport::Reading;

/// The field of a listener that lists every TCP port in use on the host.
pub(super) const IN_USE: &str = "in_use";

/// The oldest major version whose configuration this is.
const OLDEST: u32 = 2;

/// All collections of a broker.
pub(super) async fn all(wish: &Wish, hand: Reading<'_>) -> Observed {
    let asks = asks(wish);
    let answers = match hand.ask(&asks).await {
        Ok(answers) => answers,
        Err(error) => return Observed::unreachable(wish.target.clone(), format!("{error:#}")),
    };
    let broker = asks.iter().zip(&answers).find_map(|(ask, answer)| installed(ask, answer));
    if let Some(version) = broker.filter(|version| is_too_old(version)) {
        let reason = format!("Mosquitto {version} is older than {OLDEST}.0, whose configuration this is");
        return Observed::unreachable(wish.target.clone(), reason);
    }
    let mut observed = Observed::new(wish.target.clone());
    observed.title = title(broker, &answers);
    version::note(&mut observed, broker, &asks, &answers);
    observed.clock = clock(&answers);
    for (ask, answer) in asks.iter().zip(answers) {
        if let Err(reason) = take(&mut observed, wish, ask, answer) {
            let (collection, name) = place(ask);
            observed.miss(Some(collection), name.as_deref(), reason);
        }
    }
    observed
}

fn asks(wish: &Wish) -> Vec<Ask> {
    let wished =
        |collection: &'static str| wish.resources.keys().filter(move |key| key.collection == collection);
    let mut asks = vec![
        Ask::Facts,
        Ask::Content { path: PASSWD.to_owned() },
        Ask::Files { directory: CONF_D.to_owned() },
        Ask::Files { directory: FOLDER.to_owned() },
    ];
    asks.extend(wished("package").map(|key| Ask::Package { name: key.name.clone() }));
    asks.extend(
        [
            wished("file").collect::<Vec<_>>(),
            wished(firewall::FILES).collect(),
            wished(lockout::FILES).collect(),
        ]
        .into_iter()
        .flatten()
        .map(|key| Ask::File { path: key.name.clone() }),
    );
    asks.extend(lockout::unwished(wish).map(|path| Ask::File { path }));
    asks.extend(version::asks());
    asks.extend(wished("service").map(|key| Ask::Service { name: key.name.clone(), watch: watched() }));
    asks.extend(
        wished(lockout::COLLECTION)
            .map(|key| Ask::Service { name: key.name.clone(), watch: lockout::watched() }),
    );
    let runs = wished("service").next().is_some();
    if wished("listener").next().is_some() {
        asks.push(Ask::Listening);
    }
    // Under a prefix the live rules are another system's.
    asks.extend(firewall::asks(wish, runs));
    asks
}

/// What stays unread when a question had no good answer.
fn place(ask: &Ask) -> (&'static str, Option<String>) {
    match ask {
        Ask::Package { name } => ("package", Some(name.clone())),
        Ask::Content { .. } => ("account", None),
        Ask::Files { .. } => ("file", None),
        Ask::File { path } => (collection_of(path), Some(path.clone())),
        Ask::Service { name, .. } if lockout::is_service(name) => (lockout::COLLECTION, None),
        Ask::Listening => ("listener", None),
        _ => ("service", None),
    }
}

fn take(observed: &mut Observed, wish: &Wish, ask: &Ask, answer: Answer) -> Result<(), String> {
    match (ask, answer) {
        // Who the host is only heads the plan; where the plugins are is noted elsewhere.
        (Ask::Facts, _) => {}
        (Ask::File { path }, _) if version::is_asked(path) => {}
        (ask, answer) if firewall::is_asked(ask) => firewall::take(observed, wish, ask, answer),
        (_, Answer::Unread(reason)) => return Err(reason),
        (Ask::Package { name }, Answer::Version(version)) => {
            let seen = version.as_deref().map(packages::seen);
            observed.resources.extend(seen.map(|fields| (Key::new("package", name.as_str()), fields)));
        }
        (Ask::Content { .. }, Answer::Content(content)) => {
            let Some(content) = content else { return Ok(()) };
            let text = content.reveal_text().ok_or("the password file is not text")?;
            let accounts = passwd::read(text).into_iter();
            observed.resources.extend(accounts.map(|(name, fields)| (Key::new("account", name), fields)));
        }
        (Ask::Files { directory }, Answer::Names(paths)) => strays(observed, wish, directory, paths),
        (Ask::File { path }, Answer::File(facts)) => {
            let key = || Key::new(collection_of(path), path.as_str());
            let seen = facts.as_ref().map(|facts| (key(), files::seen(facts)));
            observed.resources.extend(seen);
        }
        (Ask::Service { name, .. }, Answer::Service(facts)) => {
            let collection = if lockout::is_service(name) { lockout::COLLECTION } else { "service" };
            let seen = facts.map(|facts| (Key::new(collection, name.as_str()), services::seen(&facts)));
            observed.resources.extend(seen);
        }
        (Ask::Listening, Answer::Names(addresses)) => {
            let ports = wish.resources.keys().filter(|key| key.collection == "listener");
            let seen = ports.map(|key| (key.clone(), listener(&key.name, &addresses)));
            observed.resources.extend(seen);
        }
        _ => return Err("the host answered another question".to_owned()),
    }
    Ok(())
}

fn collection_of(path: &str) -> &'static str {
    if lockout::is_ours(path) { lockout::FILES } else { firewall::collection_of(path) }
}

/// The version of Mosquitto that is installed, as its authors number it.
fn installed<'a>(ask: &Ask, answer: &'a Answer) -> Option<&'a str> {
    match (ask, answer) {
        (Ask::Package { name }, Answer::Version(Some(version))) if name == SERVICE => Some(upstream(version)),
        _ => None,
    }
}

fn is_too_old(version: &str) -> bool {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major < OLDEST)
}

/// Such as `Mosquitto 2.0.11, Debian 12`.
fn title(version: Option<&str>, answers: &[Answer]) -> String {
    let broker = version.map(|version| format!("Mosquitto {version}"));
    let system = answers.iter().find_map(|answer| match answer {
        Answer::Facts(facts) => Some(format!("{} {}", capitalised(facts.get("os")?), facts.get("version")?)),
        _ => None,
    });
    [broker, system].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The version without the distribution's own parts: `2.0.11-1.2+deb12u1` is `2.0.11`.
pub(super) fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    version.split('-').next().unwrap_or(version)
}

/// What nobody wished in our folders. Of `conf.d` Mosquitto reads only what ends in `.conf`; the files of a
/// trial that failed are no configuration of anything.
fn strays(observed: &mut Observed, wish: &Wish, directory: &str, paths: Vec<String>) {
    let ours = paths.into_iter().filter(|path| {
        (directory != CONF_D || path.ends_with(".conf")) && !path.starts_with(candidate::STAGE)
    });
    let keys = ours.map(|path| Key::new("file", path)).filter(|key| !wish.resources.contains_key(key));
    observed.resources.extend(keys.map(|key| (key, Fields::new())));
}

/// What listens on a port beyond loopback.
fn listener(port: &str, addresses: &[String]) -> Fields {
    let split = |address: &String| {
        let (host, port) = address.rsplit_once(':')?;
        Some((host.to_owned(), port.to_owned()))
    };
    let open = addresses
        .iter()
        .filter(|address| split(address).is_some_and(|(host, own)| own == port && !is_loopback(&host)));
    let mut in_use: Vec<i64> =
        addresses.iter().filter_map(|address| split(address)?.1.parse().ok()).collect();
    in_use.sort_unstable();
    in_use.dedup();
    let open: Vec<String> = open.cloned().collect();
    let in_use: Vec<Value> = in_use.into_iter().map(Value::Int).collect();
    Fields::from([("open_to_network".to_owned(), open.into()), (IN_USE.to_owned(), Value::List(in_use))])
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_beyond_loopback_is_seen_on_its_port_only() {
        let addresses = [
            "0.0.0.0:1883",
            "[::]:1883",
            "127.0.0.1:1883",
            "[::1]:1883",
            "*:1883",
            "0.0.0.0:8883",
            "[::ffff:127.0.0.1]:1883",
        ]
        .map(str::to_owned);
        let fields = listener("1883", &addresses);
        let Value::List(open) = &fields["open_to_network"] else { panic!() };
        let open: Vec<&str> = open.iter().filter_map(Value::as_text).collect();
        assert_eq!(open, ["0.0.0.0:1883", "[::]:1883", "*:1883"]);
        let Value::List(in_use) = &fields[IN_USE] else { panic!() };
        assert!(matches!(in_use.as_slice(), [Value::Int(1883), Value::Int(8883)]));
    }

    #[test]
    fn versions_are_told_without_the_distributions_parts() {
        assert_eq!(upstream("2.0.11-1.2+deb12u1"), "2.0.11");
        assert_eq!(upstream("1:1.5.7-1"), "1.5.7");
        assert!(is_too_old("1.5.7") && !is_too_old("2.0.11") && !is_too_old("3.0"));
    }
}
