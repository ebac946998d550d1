//! ProxyJump: through one server to another, every hop held to the pins.

use rocade::model::Secret;
use rocade::transport::known_hosts::{KnownHosts, fingerprint};
use rocade::transport::ssh::{Limits, Login, Route, Session, SshFault, offered_key};
use rocade::transport::ssh_config::{Person, SshConfig};

use crate::server::{PASSWORD, Server, USER, shell};

struct Chain {
    bastion: Server,
    target: Server,
    config: SshConfig,
}

/// Two servers, and a person's SSH configuration that leads through the first.
fn chain() -> Option<Chain> {
    let (bastion, target) = (Server::start("")?, Server::start("")?);
    let home = bastion.at("home");
    std::fs::create_dir_all(home.join(".ssh")).unwrap();
    let key = bastion.at("user_ed25519");
    let text = format!(
        "Host gw-behind\n  HostName 127.0.0.1\n  Port {}\n  User {USER}\n  ProxyJump {USER}@bastion\n\
         Host bastion\n  HostName 127.0.0.1\n  Port {}\n  IdentityFile {}\n",
        target.port,
        bastion.port,
        key.display()
    );
    std::fs::write(home.join(".ssh/config"), text).unwrap();
    let config = SshConfig::of(Person { home, user: "me".into(), agent: None }).unwrap();
    Some(Chain { bastion, target, config })
}

impl Chain {
    fn route(&self) -> Route {
        let password = Some(Secret::new(PASSWORD, "gateways/gw/admin"));
        Route::resolve("gw", "gw-behind", &Login { password, ..Login::default() }, &self.config).unwrap()
    }

    fn pins_of(&self, servers: &[&Server]) -> KnownHosts {
        let mut pins = KnownHosts::read(&self.bastion.at("known_hosts")).unwrap();
        for server in servers {
            pins.add("127.0.0.1", server.port, &server.host_key("ed25519")).unwrap();
        }
        pins
    }
}

#[tokio::test]
async fn through_a_bastion() {
    let Some(chain) = chain() else { return };
    let pins = chain.pins_of(&[&chain.bastion, &chain.target]);
    let session = Session::open(&chain.route(), &pins, Limits::default()).await.unwrap();
    let content = vec![b'y'; 3 << 20];
    assert!(shell(&session, "cat", &content).await.1 == content);
    assert_eq!(session.whom(), format!("127.0.0.1:{} (through 127.0.0.1)", chain.target.port));
    session.close().await;
    chain.bastion.logs("server_request_direct_tcpip");
    chain.target.logs("Accepted password");
}

#[tokio::test]
async fn an_unknown_bastion_and_an_unknown_target_are_refused_by_name() {
    let Some(chain) = chain() else { return };
    let of_bastion = Session::open(&chain.route(), &chain.pins_of(&[]), Limits::default()).await.unwrap_err();
    let print = fingerprint(&chain.bastion.host_key("ed25519"));
    assert!(of_bastion.to_string().contains(&print), "{of_bastion}");
    assert!(of_bastion.hint().unwrap().contains("rocade trust bastion "), "{of_bastion}");
    let pins = chain.pins_of(&[&chain.bastion]);
    let of_target = Session::open(&chain.route(), &pins, Limits::default()).await.unwrap_err();
    let print = fingerprint(&chain.target.host_key("ed25519"));
    assert!(of_target.to_string().contains(&print), "{of_target}");
    assert!(of_target.hint().unwrap().contains("rocade trust gw "), "{of_target}");
    let key = offered_key(&chain.route(), &pins, Limits::default()).await.unwrap();
    assert_eq!(fingerprint(&key), print);
}

#[tokio::test]
async fn a_target_the_bastion_cannot_reach() {
    let Some(chain) = chain() else { return };
    let mut route = chain.route();
    route.port = crate::server::free_port();
    let fault =
        Session::open(&route, &chain.pins_of(&[&chain.bastion]), Limits::default()).await.unwrap_err();
    assert!(matches!(fault, SshFault::Unreachable { .. }), "{fault:?}");
    assert!(fault.to_string().contains("the host before it says ConnectFailed"), "{fault}");
}
