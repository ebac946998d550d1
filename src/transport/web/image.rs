//! Uploads of files that are too large to hold, with a word on how far they are.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use serde_json::Value as Json;
use tokio::io::AsyncReadExt;

use super::{WebFault, WebSession};

/// Read and sent at once.
const PIECE_BYTES: usize = 64 << 10;

/// A file to upload.
#[derive(Clone, Debug)]
pub struct Image {
    /// Where it is.
    pub path: PathBuf,
    /// The form's field.
    pub field: &'static str,
    /// The name the device is told.
    pub name: String,
}

pub(super) async fn upload(
    session: &WebSession,
    resource: &str,
    image: &Image,
    sent: &Arc<dyn Fn(u64) + Send + Sync>,
    limit: Duration,
) -> Result<Json, WebFault> {
    let own = |error: std::io::Error| WebFault::Own(format!("{}: {error}", image.path.display()));
    let file = tokio::fs::File::open(&image.path).await.map_err(own)?;
    let length = file.metadata().await.map_err(own)?.len();
    let sent = Arc::clone(sent);
    let pieces = futures::stream::try_unfold((file, 0_u64), move |(mut file, before)| {
        let sent = Arc::clone(&sent);
        async move {
            let mut piece = vec![0; PIECE_BYTES];
            let read = file.read(&mut piece).await?;
            piece.truncate(read);
            let after = before + read as u64;
            sent(after);
            Ok::<_, std::io::Error>((read > 0).then_some((piece, (file, after))))
        }
    });
    let part = Part::stream_with_length(Body::wrap_stream(pieces), length).file_name(image.name.clone());
    let form = Form::new().part(image.field, part);
    let request = session.begin(Method::POST, resource)?.multipart(form);
    session.send(request, limit).await.map(|answer| answer.result)
}
