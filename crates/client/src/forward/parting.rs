//! Letting go of a connection's two ends, so that each learns what it should and loses nothing.

use axt_net::{
    frames::{FrameReader, FrameWriter, Next},
    link,
    transport::parts::{Ending, Reader, Writer},
};
use axt_proto::frame::{Message, client::ClientFraming};
use tokio::io::AsyncReadExt;

/// Lets the relay go: the word that it is due, a close frame, and its own. Where the connection is
/// `cut`, what is under way need not arrive: a relay that takes none of it is told by a reset, for it
/// could not learn of any other end.
pub(super) async fn part(
    mut reader: FrameReader<ClientFraming>,
    writer: FrameWriter<ClientFraming>,
    word: Option<Message>,
    cut: Option<Ending>,
) {
    let parting = async {
        if let Some(word) = &word
            && writer.send(word).await.is_err()
        {
            return;
        }
        // A close would overtake the reset, since the agent is told of it by another way; and after
        // a reset the relay closes by itself.
        if word == Some(Message::Reset) {
            while let Ok(Next::Message(_)) = reader.next().await {}
        }
        let _ = writer.close(1000, "").await;
        reader.drain().await;
    };
    // A relay that hangs must not keep anyone from leaving.
    let parted = link::timeout(link::DRAIN, parting).await;
    if let (Err(_), Some(ending)) = (parted, cut) {
        ending.reset_when_dropped();
    }
}

/// Keeps the local socket after our FIN until the other end has closed too: bytes that are on their
/// way there would be lost if something came in for a socket that is closed, for that is answered by
/// a reset.
///
/// Whoever goes on sending is reset after a while ([`link::DRAIN`]) all the same, as TCP does it,
/// for it has to learn that nobody listens. Whoever does nothing is left to the kernel in the end.
pub(super) async fn linger(mut input: Reader, output: Option<Writer>, ending: Ending) {
    let mut scrap = [0; 64];
    let next = link::timeout(link::DEAD_AFTER, input.read(&mut scrap)).await;
    if !matches!(next, Ok(Ok(1..))) {
        return;
    }
    let discarding = async { tokio::io::copy(&mut input, &mut tokio::io::sink()).await };
    if link::timeout(link::DRAIN, discarding).await.is_err() {
        ending.reset_when_dropped();
    }
    drop((input, output, ending));
}
