//! Real clients, as child processes.

use std::path::Path;
use std::process::{Output, Stdio};

use rocade::host::{Answer, Ask, Order, Ruling, program, wire};
use rocade::lab::{Device, DevicePlan, Lab, LabPlan};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Whether these programs are installed; says so when one is not.
pub fn installed(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|name| {
        std::process::Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .status()
            .is_err()
    });
    if let Some(name) = missing {
        eprintln!("skipped: {name} is not installed");
    }
    missing.is_none()
}

/// Runs a program to its end with this on its standard input.
pub async fn run(mut command: Command, stdin: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the program was found before");
    let mut input = child.stdin.take().expect("it is piped");
    let bytes = stdin.to_vec();
    // A program that ends early does not read everything.
    let feed = async move {
        let _ = input.write_all(&bytes).await;
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    output.expect("a child that was started ends")
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A lab with a key that may log in everywhere, and OpenSSH set up for it.
pub struct Bench {
    pub lab: Lab,
    pub folder: TempDir,
}

impl Bench {
    /// Starts devices that know the bench's key.
    pub async fn start(mut devices: Vec<DevicePlan>) -> Self {
        let folder = TempDir::new().unwrap();
        let key = folder.path().join("key");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
        assert!(run(keygen, b"").await.status.success());
        let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
        devices.iter_mut().for_each(|device| device.authorized_keys.push(public.trim().to_owned()));
        let lab = Lab::start(LabPlan { devices, logs: Some(folder.path().to_owned()) }).await.unwrap();
        let line = |device: &Device| format!("[127.0.0.1]:{} {}\n", device.plan.ssh_port, device.host_key);
        let pinned: String = lab.devices().iter().map(line).collect();
        std::fs::write(folder.path().join("known_hosts"), pinned).unwrap();
        Self { lab, folder }
    }

    pub fn device(&self, name: &str) -> &Device {
        self.lab.device(name).unwrap()
    }

    /// OpenSSH with pinned host keys and nothing of the user's.
    pub fn ssh(&self, device: &Device) -> Command {
        let mut ssh = Command::new("ssh");
        let known_hosts = self.folder.path().join("known_hosts");
        ssh.args(["-F", "none", "-T", "-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=none"])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known_hosts.display()))
            .args(["-o", "ConnectTimeout=10", "-p", &device.plan.ssh_port.to_string()])
            .args(["-l", &device.plan.user])
            .env_remove("SSH_AUTH_SOCK");
        ssh
    }

    /// A command over SSH with the bench's key.
    pub async fn exec(&self, device: &Device, line: &str, stdin: &[u8]) -> Output {
        let mut ssh = self.ssh(device);
        ssh.args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i"])
            .arg(self.folder.path().join("key"));
        ssh.args(["127.0.0.1", line]);
        run(ssh, stdin).await
    }

    async fn host_program(&self, device: &Device, mode: &str, requests: &[u8]) -> Output {
        let quoted = program().replace('\'', "'\\''");
        let line = format!("sudo -S -p '' sh -c '{quoted}' rocade-host {mode} ''");
        let stdin = [device.plan.password.as_bytes(), b"\n", requests].concat();
        self.exec(device, &line, &stdin).await
    }

    /// Asks through the host program.
    pub async fn ask(&self, device: &Device, asks: &[Ask]) -> Vec<Answer> {
        let output = self.host_program(device, "ask", &wire::encode_asks(asks).unwrap()).await;
        let mut decoder = wire::AnswerDecoder::new(asks);
        decoder.feed(&output.stdout);
        assert!(decoder.is_complete(), "{}", err(&output));
        decoder.finish("it did not say")
    }

    /// Orders through the host program.
    pub async fn order(&self, device: &Device, orders: &[Order]) -> Vec<Ruling> {
        let output = self.host_program(device, "order", &wire::encode_orders(orders).unwrap()).await;
        let mut rulings = Vec::new();
        let mut decoder = wire::RulingDecoder::new(orders.len());
        decoder.feed(&output.stdout, |_, ruling| rulings.push(ruling));
        decoder.finish(&err(&output), |_, ruling| rulings.push(ruling));
        rulings
    }
}

/// A program that says the password when OpenSSH asks.
pub fn askpass(folder: &Path, password: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(format!("askpass-{password}"));
    std::fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' '{password}'\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}
