//! The secrets of a repository, with real age files on a real disk.

#![allow(clippy::unwrap_used, reason = "a test whose ground cannot be laid has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rocade::secrets::{Fault, Finding, IdentitySource, Store, enrol, keygen, recipients};

/// A repository with one identity and its recipient.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        keygen(&repository.identity(), Some(repository.root()), Some("ada")).unwrap();
        repository
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn identity(&self) -> PathBuf {
        self.root().join(".rocade/identity.txt")
    }

    fn store(&self) -> Store {
        Store::open(self.root(), IdentitySource::Default { config_dir: None }).unwrap()
    }

    fn store_of(&self, identity: &str) -> Store {
        Store::open(self.root(), IdentitySource::File(self.root().join(identity))).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root().join("inventory/secrets").join(name)
    }
}

fn refused<T>(result: anyhow::Result<T>) -> anyhow::Error {
    result.err().expect("it must be refused")
}

fn fault(error: &anyhow::Error) -> &Fault {
    error.downcast_ref().unwrap_or_else(|| panic!("another error: {error:#}"))
}

#[test]
fn a_value_comes_back_and_its_source_follows_the_ciphertext() {
    let repository = Repository::new();
    let store = repository.store();
    let name = "gateways/pool-gw/admin";
    store.put(name, b"swordfish \xff\n").unwrap();
    let first = store.get(name).unwrap();
    assert_eq!(first.reveal(), b"swordfish \xff\n");
    assert!(first.source().starts_with("gateways/pool-gw/admin@"), "{}", first.source());
    assert_eq!(first.source().len(), name.len() + 1 + 12);
    assert_eq!(repository.store().get(name).unwrap().source(), first.source());

    store.put(name, b"swordfish \xff\n").unwrap();
    assert_ne!(store.get(name).unwrap().source(), first.source());
    assert!(repository.file("gateways.yaml").is_file());
    store.put("gateways/pool-gw/empty", b"").unwrap();
    assert_eq!(store.get("gateways/pool-gw/empty").unwrap().reveal(), b"");
    assert_eq!(store.paths(), [name, "gateways/pool-gw/empty"]);

    store.remove(name).unwrap();
    assert!(!store.has(name) && !repository.store().has(name));
    assert_eq!(*fault(&refused(store.get(name))), Fault::Missing(name.into()));
}

/// Anyone's age opens a value: the format is not ours alone.
#[test]
fn the_age_library_alone_opens_a_value() {
    let repository = Repository::new();
    repository.store().put("a/b", b"swordfish").unwrap();
    let line = fs::read_to_string(repository.file("a.yaml")).unwrap();
    let base64 = line.split("ENC[age:").nth(1).unwrap().split(']').next().unwrap();
    let sealed = STANDARD.decode(base64).unwrap();
    let identity = fs::read_to_string(repository.identity()).unwrap();
    let identity: age::x25519::Identity = identity.lines().last().unwrap().parse().unwrap();
    let plain = age::decrypt(&identity, &sealed).unwrap();
    let expected = format!("rocade-secret 1\na/b\n{}\nswordfish", identity.to_public());
    assert_eq!(plain, expected.as_bytes());
}

#[test]
fn a_value_moved_to_another_name_is_refused() {
    let repository = Repository::new();
    repository.store().put("a/admin", b"swordfish").unwrap();
    let moved = fs::read_to_string(repository.file("a.yaml")).unwrap().replace("a/admin", "a/guest");
    fs::write(repository.file("a.yaml"), moved).unwrap();
    let error = refused(repository.store().get("a/guest"));
    assert_eq!(*fault(&error), Fault::Moved { name: "a/guest".into(), sealed_as: "a/admin".into() });
}

#[test]
fn a_changed_or_cut_value_is_refused() {
    let repository = Repository::new();
    repository.store().put("a/b", b"swordfish").unwrap();
    let whole = fs::read_to_string(repository.file("a.yaml")).unwrap();
    let start = whole.find("ENC[age:").unwrap() + 8;
    let end = whole.rfind(']').unwrap();
    let damages =
        [(start + 4, "!"), (start + 4, ""), (end - 12, ""), (end - 12, "AAAA"), (start + 200, "AAAA")];
    for (at, with) in damages {
        let damaged = format!("{}{with}{}", &whole[..at], &whole[at + 4..]);
        fs::write(repository.file("a.yaml"), damaged).unwrap();
        let store = Store::open(repository.root(), IdentitySource::File(repository.identity()));
        let error = refused(store.and_then(|store| store.get("a/b")));
        let text = format!("{error:#}");
        assert!(!text.contains("swordfish") && text.contains("`a/b`"), "{text}");
    }
}

#[test]
fn one_name_in_two_files_is_refused_with_both_places() {
    let repository = Repository::new();
    repository.store().put("a/b", b"one").unwrap();
    fs::copy(repository.file("a.yaml"), repository.file("b.yml")).unwrap();
    let error = refused(Store::open(repository.root(), IdentitySource::File(repository.identity())));
    let text = format!("{error:#}");
    assert!(text.contains("inventory/secrets/a.yaml:3"), "{text}");
    assert!(text.contains("inventory/secrets/b.yml:3"), "{text}");
}

#[test]
fn values_stay_in_the_file_they_stand_in() {
    let repository = Repository::new();
    repository.store().put("a/b", b"one").unwrap();
    fs::create_dir(repository.file("site")).unwrap();
    fs::rename(repository.file("a.yaml"), repository.file("site/pool.yaml")).unwrap();
    let store = repository.store();
    store.put("a/b", b"two").unwrap();
    assert!(!repository.file("a.yaml").exists());
    assert_eq!(store.place("a/b").unwrap().to_string(), "inventory/secrets/site/pool.yaml:3");
    assert_eq!(repository.store().get("a/b").unwrap().reveal(), b"two");
}

#[cfg(unix)]
#[test]
fn an_identity_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let repository = Repository::new();
    repository.store().put("a/b", b"one").unwrap();
    let mode = fs::metadata(repository.identity()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(repository.identity(), fs::Permissions::from_mode(0o640)).unwrap();
    let error = refused(repository.store().get("a/b"));
    assert_eq!(*fault(&error), Fault::OpenToOthers { path: repository.identity(), mode: 0o640 });
    assert!(fault(&error).hint().unwrap().starts_with("chmod 600 "));
}

#[test]
fn without_an_identity_one_can_encrypt_and_not_decrypt() {
    let repository = Repository::new();
    let away = repository.root().join("elsewhere.txt");
    fs::rename(repository.identity(), &away).unwrap();
    let config = repository.root().join("config");
    let source = IdentitySource::Default { config_dir: Some(config.clone()) };
    let store = Store::open(repository.root(), source).unwrap();
    store.put("a/b", b"one").unwrap();
    let user = config.join("rocade/identity.txt");
    let error = refused(store.get("a/b"));
    assert_eq!(*fault(&error), Fault::NoIdentity(vec![repository.identity(), user.clone()]));
    assert!(fault(&error).hint().unwrap().contains("rocade secrets keygen"));

    // An identity that appears later is found, and one file may hold several.
    keygen(&user, None, None).unwrap();
    let both = [&user, &away].map(|path| fs::read(path).unwrap()).concat();
    fs::write(&user, both).unwrap();
    assert_eq!(store.get("a/b").unwrap().reveal(), b"one");
}

#[test]
fn keygen_never_overwrites_and_enrols_the_first_only() {
    let repository = Repository::new();
    let before = fs::read(repository.identity()).unwrap();
    refused(keygen(&repository.identity(), Some(repository.root()), None));
    assert_eq!(fs::read(repository.identity()).unwrap(), before);
    keygen(&repository.root().join("second.txt"), Some(repository.root()), None).unwrap();
    let known = recipients(repository.root()).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].name.as_deref(), Some("ada"));
    assert_eq!(fs::read_to_string(repository.root().join(".rocade/.gitignore")).unwrap(), "*\n");
}

#[test]
fn a_private_key_among_the_recipients_is_refused_and_not_shown() {
    let repository = Repository::new();
    let key = fs::read_to_string(repository.identity()).unwrap();
    let key = key.lines().last().unwrap();
    fs::write(repository.file("recipients.txt"), format!("# us\n{key}\n")).unwrap();
    let text = format!("{:#}", refused(repository.store().put("a/b", b"one")));
    assert!(text.contains("recipients.txt:2") && !text.contains(&key[..20]), "{text}");
    fs::write(repository.file("recipients.txt"), "").unwrap();
    assert_eq!(*fault(&refused(repository.store().put("a/b", b"one"))), Fault::NoRecipients);
}

#[test]
fn check_names_everything_that_is_wrong() {
    let repository = Repository::new();
    let store = repository.store();
    store.put("a/good", b"one").unwrap();
    store.put("a/unused", b"two").unwrap();
    assert_eq!(store.check(["a/good", "a/unused"]).unwrap(), []);

    let eve = keygen(&repository.root().join("eve.txt"), None, None).unwrap();
    enrol(repository.root(), &eve, Some("eve")).unwrap();
    store.put("a/late", b"three").unwrap();
    let findings = store.check(["a/good", "a/late", "a/absent"]).unwrap();
    assert_eq!(findings.len(), 4, "{findings:?}");
    assert!(matches!(&findings[0], Finding::Stale { path, missing, extra, .. }
        if path == "a/good" && *missing == [eve] && extra.is_empty()));
    assert!(matches!(&findings[1], Finding::Stale { path, .. } if path == "a/unused"));
    assert!(matches!(&findings[2], Finding::Unused { path, .. } if path == "a/unused"));
    assert_eq!(findings[3], Finding::Missing { path: "a/absent".into() });

    let eves = repository.store_of("eve.txt");
    assert_eq!(eves.get("a/late").unwrap().reveal(), b"three");
    assert!(matches!(fault(&refused(eves.get("a/good"))), Fault::NoneFits { name, .. } if name == "a/good"));
    let findings = eves.check(["a/good", "a/late", "a/unused"]).unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(
        matches!(&findings[0], Finding::Counted { path, sealed_to: 1, recipients: 2, .. } if path == "a/good")
    );
}

#[test]
fn rekey_lets_a_new_recipient_in_and_shuts_an_old_one_out() {
    let repository = Repository::new();
    let store = repository.store();
    store.put("a/one", b"one").unwrap();
    let alone = fs::read_to_string(repository.file("recipients.txt")).unwrap();
    let eve = keygen(&repository.root().join("eve.txt"), None, None).unwrap();
    enrol(repository.root(), &eve, Some("eve")).unwrap();
    store.put("a/two", b"two").unwrap();
    assert_eq!(store.rekey().unwrap(), ["a/one"]);
    assert_eq!(store.rekey().unwrap(), Vec::<String>::new());
    assert_eq!(repository.store_of("eve.txt").get("a/one").unwrap().reveal(), b"one");

    fs::write(repository.file("recipients.txt"), alone).unwrap();
    let stale = store.check(["a/one", "a/two"]).unwrap();
    assert_eq!(stale.len(), 2, "{stale:?}");
    assert!(stale.iter().all(|one| matches!(one, Finding::Stale { extra, .. } if *extra == [eve.clone()])));
    assert_eq!(store.rekey().unwrap(), ["a/one", "a/two"]);
    refused(repository.store_of("eve.txt").get("a/two"));
    assert_eq!(store.get("a/two").unwrap().reveal(), b"two");
}

/// The poison: a planted value is nowhere under the repository, in no spelling, and the search would find it.
#[test]
fn no_value_reaches_the_disk_in_clear() {
    let poison = "poison-7f3a9c-swordfish";
    let repository = Repository::new();
    let store = repository.store();
    store.put("a/b", poison.as_bytes()).unwrap();
    store.put("a/b", format!("{poison}{poison}").as_bytes()).unwrap();
    assert_eq!(holding(repository.root(), poison), Vec::<PathBuf>::new());
    for spelling in spellings(poison) {
        fs::write(repository.root().join("planted"), format!("x{spelling}x")).unwrap();
        assert_eq!(holding(repository.root(), poison), [repository.root().join("planted")]);
    }
}

fn spellings(value: &str) -> [String; 3] {
    // A multiple of three bytes: its base64 is the same whatever follows.
    [value.to_owned(), hex::encode(value), STANDARD.encode(&value[..21])]
}

fn holding(folder: &Path, value: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, value));
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            if spellings(value).iter().any(|spelling| text.contains(spelling)) {
                found.push(path);
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in a secrets file: an error or values, never a panic.
    #[test]
    fn garbage_files_never_panic(bytes in any::<Vec<u8>>(), base64 in "[A-Za-z0-9+/=]{0,80}") {
        let folder = tempfile::tempdir().unwrap();
        let secrets = folder.path().join("inventory/secrets");
        fs::create_dir_all(&secrets).unwrap();
        let identity = folder.path().join("identity.txt");
        keygen(&identity, None, None).unwrap();
        fs::write(secrets.join("recipients.txt"), &bytes).unwrap();
        let _ = recipients(folder.path());
        fs::write(secrets.join("a.yaml"), format!("a: ENC[age:{base64}]\n")).unwrap();
        if let Ok(store) = Store::open(folder.path(), IdentitySource::File(identity.clone())) {
            prop_assert!(store.get("a").is_err());
        }
        fs::write(secrets.join("b.yaml"), &bytes).unwrap();
        let _ = Store::open(folder.path(), IdentitySource::File(identity));
    }
}
