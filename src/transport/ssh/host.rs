//! A session runs the programs of a Linux host.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::session::Session;
use crate::host::{Ended, Exec};

impl Exec for Session {
    fn exec<'a>(
        &'a self,
        argv: &'a [String],
        stdin: &'a [u8],
        on_stdout: &'a mut (dyn FnMut(&[u8]) + Send),
        limit: Duration,
    ) -> BoxFuture<'a, anyhow::Result<Ended>> {
        async move {
            let exit = Session::exec(self, argv, stdin, on_stdout, limit).await?;
            let mut stderr = String::from_utf8_lossy(&exit.stderr).into_owned();
            if let Some(signal) = &exit.signal {
                stderr.push_str(&format!("\nended by signal {signal}"));
            }
            Ok(Ended { status: exit.status, stderr })
        }
        .boxed()
    }
}
