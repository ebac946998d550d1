//! The API alone over plain HTTP without a login, for test hosts that have the rest of a gateway for real.
//! Its state is kept in a file, so that it can be ended and started again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Context;

use super::api::Api;
use super::firmware::Firmware;
use super::note;
use super::web::{self, Answered, Call};
use crate::lab::door::Door;
use crate::lab::held;
use crate::lab::knobs::{KnobBoard, Knobs};
use crate::lab::log::Log;

/// The serial number of the unit whose state is not there yet.
const SERIAL: u32 = 20_412_345;
/// Its firmware.
const FIRMWARE: &str = "6.0.1";

struct Plain {
    api: Mutex<Api>,
    state: PathBuf,
    knobs: Arc<KnobBoard>,
    log: Log,
}

/// Serves the API on an address until dropped. `state` is read when it is there and written after each
/// request that may change it; `log` gets a JSON line a request.
///
/// # Errors
/// When the address is taken or a file cannot be used.
pub async fn serve_plain(
    listen: std::net::SocketAddr,
    state: &Path,
    log: &Path,
    knobs: Knobs,
) -> anyhow::Result<()> {
    let api = match std::fs::read(state) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).with_context(|| format!("reading {}", state.display()))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let firmware = Firmware::of(FIRMWARE)?;
            Api::commissioned(firmware, SERIAL, "admin", &format!("{:032x}", rand::random::<u128>()))
        }
        Err(error) => return Err(error).with_context(|| format!("reading {}", state.display())),
    };
    let board = Arc::new(KnobBoard::default());
    board.set(|board| *board = knobs);
    let log = Log::open("conduit-api", Some(log)).with_context(|| format!("writing {}", log.display()))?;
    let (api, state) = (Mutex::new(api), state.to_owned());
    let plain = Arc::new(Plain { api, state, knobs: Arc::clone(&board), log });
    plain.keep()?;
    let door = Door::open_at(listen).await.with_context(|| format!("listening on {listen}"))?;
    door.attend(board, |line| {
        let plain = Arc::clone(&plain);
        async move { web::serve(line, |call| plain.answer(call)).await }
    })
    .await;
    Ok(())
}

impl Plain {
    async fn answer(&self, call: Call) -> Option<Answered> {
        let knobs = self.knobs.now();
        tokio::time::sleep(knobs.slow).await;
        note(&self.log, &call);
        let reply = {
            let mut api = held(&self.api);
            let reply = api.handle(&call.method, &call.target, &call.body);
            // The rest of the host is real and stays up.
            if let Some(restart) = api.take_due() {
                api.boot(&restart);
            }
            reply
        };
        if call.method != "GET"
            && !knobs.forget
            && let Err(error) = self.keep()
        {
            tracing::error!(%error, "the simulated API's state is not kept");
        }
        web::spoiled(reply, knobs.api).map(Answered::from)
    }

    fn keep(&self) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(&*held(&self.api))?;
        crate::repository::replace(&self.state, &bytes)
    }
}
