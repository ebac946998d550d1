//! A refused login is tried once a run: a gateway locks out after three.

use std::path::Path;
use std::sync::Arc;

use rocade::lab;
use rocade::plan::Scope;
use rocade::providers::Site;
use rocade::run::{Links, Options, Workspace};
use rocade::secrets::IdentitySource;
use rocade::transport::ssh_config::{Person, SshConfig};

const PASSWORD: &str = "gateways/pool-gw/admin";

fn workspace(root: &Path) -> Arc<Workspace> {
    let options = Options {
        root: root.to_owned(),
        identity: IdentitySource::File(root.join(".rocade/identity.txt")),
        ssh_config: SshConfig::of(Person::of_environment(|_| None)).unwrap(),
        now: jiff::Timestamp::now(),
        person: "a test".to_owned(),
        commit: None,
    };
    Arc::new(Workspace::open(options).unwrap())
}

fn gateway(workspace: &Workspace) -> Site {
    let scope = Scope { names: vec!["gateway/pool-gw".to_owned()], ..Scope::default() };
    let sites = workspace.sites(&scope).unwrap().into_iter().map(|(site, _)| site);
    sites.into_iter().find(|site| site.target.name == "pool-gw").unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_sent_once_however_often_the_gateway_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let lab = lab::up(folder.path()).await.unwrap();
    let right = workspace(folder.path()).store().get(PASSWORD).unwrap();
    workspace(folder.path()).store().put(PASSWORD, b"mistyped").unwrap();
    let (mistaken, links) = (workspace(folder.path()), Links::default());
    let site = gateway(&mistaken);
    for _ in 0..4 {
        let refused = links.open(&mistaken, &site.target, &site.reach).await.err().unwrap();
        assert!(refused.to_string().contains("refuses"), "{refused:#}");
        links.drop_lost().await;
    }
    mistaken.store().put(PASSWORD, right.reveal()).unwrap();
    let corrected = workspace(folder.path());
    let opened = Links::default().open(&corrected, &site.target, &site.reach).await;
    assert!(opened.is_ok(), "locked out: {:#}", opened.err().unwrap());
    lab.stop().await;
}
