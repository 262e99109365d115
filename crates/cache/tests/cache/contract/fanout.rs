//! The fan-out of messages.

use userd_cache::Message;

use super::Fixture;
use crate::support::next;

pub(crate) async fn a_message_reaches_every_replica_once_and_in_order(fixture: Fixture) {
    let (mut at_a, mut at_b) = (fixture.a.subscribe(), fixture.b.subscribe());
    for number in 0..100_u8 {
        fixture.a.publish(vec![number, 0, b'\r'].into()).await;
    }
    fixture.b.publish(b"last"[..].into()).await;
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
    let fixture = Fixture::memory();
    let mut slow = fixture.a.subscribe();
    for _ in 0..5_000 {
        fixture.a.publish(b"news"[..].into()).await;
    }
    assert_eq!(next(&mut slow).await, Message::Resync);
    assert_eq!(next(&mut slow).await, Message::Payload(b"news"[..].into()));
}
