//! The fan-out of messages.

use userd_cache::Message;

use crate::{Stand, support::next};

pub(crate) async fn a_message_reaches_every_replica_once_and_in_order(stand: Stand) {
    let (mut at_a, mut at_b) = (stand.a.subscribe(), stand.b.subscribe());
    for number in 0..100_u8 {
        stand.a.publish(vec![number, 0, b'\r'].into()).await;
    }
    stand.b.publish(b"last"[..].into()).await;
    let last = Message::Payload(b"last"[..].into());
    for subscription in [&mut at_a, &mut at_b] {
        let mut heard = Vec::new();
        for _ in 0..101 {
            heard.push(next(subscription).await);
        }
        // A replica hears itself at once, so at b its own message may overtake those that are on their way.
        heard.retain(|message| *message != last);
        let sent: Vec<_> = (0..100_u8).map(|number| Message::Payload(vec![number, 0, b'\r'].into())).collect();
        assert_eq!(heard, sent);
    }
}

#[tokio::test]
async fn a_subscriber_that_falls_behind_is_told_to_read_again() {
    let stand = Stand::memory();
    let mut slow = stand.a.subscribe();
    for _ in 0..5_000 {
        stand.a.publish(b"news"[..].into()).await;
    }
    assert_eq!(next(&mut slow).await, Message::Resync);
    assert_eq!(next(&mut slow).await, Message::Payload(b"news"[..].into()));
}
