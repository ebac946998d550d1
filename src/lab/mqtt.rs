//! MQTT 3.1.1 packets on a stream, in rumqttc's codec.

use rumqttc::mqttbytes::{Error, v4::Packet};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::UnboundedSender;

/// The largest packet taken.
const PACKET_SIZE_MAX: usize = 256 * 1024;

/// Hands each packet on until the stream or its reader ends.
///
/// # Errors
/// When the stream breaks or what comes is not MQTT.
pub async fn read_packets(
    mut stream: impl AsyncRead + Unpin,
    packets: UnboundedSender<Packet>,
) -> Result<(), Error> {
    let mut read = Default::default();
    loop {
        match Packet::read(&mut read, PACKET_SIZE_MAX) {
            Ok(packet) => {
                if packets.send(packet).is_err() {
                    return Ok(());
                }
            }
            Err(Error::InsufficientBytes(_)) => {
                if stream.read_buf(&mut read).await? == 0 {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Sends one packet.
///
/// # Errors
/// When the stream breaks or the packet is too large.
pub async fn write_packet(stream: &mut (impl AsyncWrite + Unpin), packet: &Packet) -> Result<(), Error> {
    let mut bytes = Default::default();
    packet.write(&mut bytes, PACKET_SIZE_MAX)?;
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    Ok(())
}
