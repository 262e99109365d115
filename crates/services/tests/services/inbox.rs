//! The inbox as its owner uses it.

use std::time::Duration;

use userd_model::{NotificationId, Refusal, Timestamp};
use userd_services::{Arrived, Context, notifications::Shown};

use crate::{
    fixture::{Fixture, MINUTE, TestApp, refusal, wrong_fields},
    personas::{Member, of},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Somebody to whom `count` things happened.
async fn with_notifications(app: &TestApp, name: &str, count: usize) -> (Member, Context) {
    let owner = app.member(name).await;
    let ctx = of(app, &owner);
    for place in 0..count {
        app.accounts.change_username(&of(app, &owner), &format!("{name}-{place}"), None).await.unwrap();
    }
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    (owner, ctx)
}

async fn ids(app: &TestApp, ctx: &Context, shown: Shown) -> Vec<NotificationId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = app.notifications.list(ctx, shown, after, 2).await.unwrap();
        ids.extend(page.items.iter().map(|item| item.id));
        after = page.next;
        if after.is_none() {
            return ids;
        }
    }
}

async fn counts(app: &TestApp, ctx: &Context) -> (i64, i64) {
    let counts = app.notifications.counts(ctx).await.unwrap();
    (counts.unread, counts.unseen)
}

#[apply(case)]
async fn an_inbox_is_paged_newest_first_and_read_one_by_one(fixture: Fixture) {
    let app = fixture.app().await;
    let (_, ctx) = with_notifications(&app, "ada", 5).await;
    let all = ids(&app, &ctx, Shown::Inbox).await;
    assert_eq!((all.len(), counts(&app, &ctx).await), (5, (5, 5)));
    let page = app.notifications.list(&ctx, Shown::Inbox, None, 50).await.unwrap();
    assert!(page.items.is_sorted_by(|one, next| one.created_at > next.created_at));
    for _ in 0..2 {
        app.notifications.read(&ctx, all[1]).await.unwrap();
        assert_eq!(counts(&app, &ctx).await, (4, 4), "reading twice counts once");
    }
    assert_eq!(ids(&app, &ctx, Shown::Inbox).await, all);
    assert_eq!(ids(&app, &ctx, Shown::Unread).await, [all[0], all[2], all[3], all[4]]);
}

#[apply(case)]
async fn seeing_empties_the_badge_and_reading_all_the_rest(fixture: Fixture) {
    let app = fixture.app().await;
    let (owner, ctx) = with_notifications(&app, "ada", 3).await;
    let all = ids(&app, &ctx, Shown::Inbox).await;
    app.notifications.see(&ctx, all[1]).await.unwrap();
    assert_eq!(counts(&app, &ctx).await, (3, 1));
    app.notifications.see(&ctx, all[0]).await.unwrap();
    assert_eq!(counts(&app, &ctx).await, (3, 0));
    app.notifications.read_all(&ctx).await.unwrap();
    assert_eq!(counts(&app, &ctx).await, (0, 0));
    assert_eq!(ids(&app, &ctx, Shown::Unread).await, []);
    let page = app.notifications.list(&ctx, Shown::Inbox, None, 50).await.unwrap();
    assert!(page.items.iter().all(|item| item.read_at.is_some() && item.seen_at.is_some()));
    app.accounts.change_username(&of(&app, &owner), "afterwards", None).await.unwrap();
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    assert_eq!((counts(&app, &ctx).await, ids(&app, &ctx, Shown::Unread).await.len()), ((1, 1), 1));
}

#[apply(case)]
async fn what_is_put_away_or_removed_is_gone_from_the_inbox(fixture: Fixture) {
    let app = fixture.app().await;
    let (_, ctx) = with_notifications(&app, "ada", 3).await;
    let all = ids(&app, &ctx, Shown::Inbox).await;
    app.notifications.archive(&ctx, all[0]).await.unwrap();
    app.notifications.archive(&ctx, all[0]).await.unwrap();
    app.notifications.remove(&ctx, all[1]).await.unwrap();
    assert_eq!(refusal(app.notifications.remove(&ctx, all[1]).await), Refusal::NotFound);
    assert_eq!(ids(&app, &ctx, Shown::Inbox).await, [all[2]]);
    assert_eq!(ids(&app, &ctx, Shown::Archived).await, [all[0]]);
    assert_eq!(counts(&app, &ctx).await, (1, 1));
}

/// The ids of others are guessed in vain: nothing is shown, nothing moves.
#[apply(case)]
async fn nobody_reaches_into_the_inbox_of_somebody_else(fixture: Fixture) {
    let app = fixture.app().await;
    let (_, ctx) = with_notifications(&app, "ada", 1).await;
    let (_, eve) = with_notifications(&app, "eve", 0).await;
    let [id] = ids(&app, &ctx, Shown::Inbox).await[..] else { panic!("one") };
    assert_eq!(ids(&app, &eve, Shown::Inbox).await, []);
    assert_eq!(refusal(app.notifications.read(&eve, id).await), Refusal::NotFound);
    assert_eq!(refusal(app.notifications.archive(&eve, id).await), Refusal::NotFound);
    assert_eq!(refusal(app.notifications.remove(&eve, id).await), Refusal::NotFound);
    assert_eq!(wrong_fields(app.notifications.see(&eve, id).await), ["/up_to"]);
    assert_eq!(refusal(app.notifications.counts(&app.operator_context()).await), Refusal::Forbidden);
    assert_eq!(counts(&app, &ctx).await, (1, 1));
}

#[apply(case)]
async fn after_half_a_year_a_notification_goes_and_is_counted_no_more(fixture: Fixture) {
    let app = fixture.app().await;
    let (_, ctx) = with_notifications(&app, "ada", 2).await;
    app.advance(DAY * 179);
    assert_eq!(app.notifications.expire().await.unwrap(), 0);
    app.advance(DAY * 2);
    assert_eq!(app.notifications.expire().await.unwrap(), 2);
    assert_eq!((counts(&app, &ctx).await, ids(&app, &ctx, Shown::Inbox).await.len()), ((0, 0), 0));
}

/// What has run out is shown to nobody, also before it is removed; the counts follow when it is.
#[apply(case)]
async fn what_has_run_out_is_not_shown_before_it_is_removed(fixture: Fixture) {
    let app = fixture.app().await;
    let (_, ctx) = with_notifications(&app, "ada", 2).await;
    let begin = Timestamp::from_seconds(0);
    assert_eq!(app.notifications.newer(&ctx, begin, 50).await.unwrap().len(), 2);
    app.advance(DAY * 181);
    for shown in [Shown::Inbox, Shown::Unread] {
        assert!(ids(&app, &ctx, shown).await.is_empty(), "{shown:?}");
    }
    assert!(app.notifications.newer(&ctx, begin, 50).await.unwrap().is_empty());
    assert_eq!(app.notifications.expire().await.unwrap(), 2);
    assert_eq!(counts(&app, &ctx).await, (0, 0));
}

/// What has run out and was not removed yet takes nobody's place in a stream: pages of it are passed over, and nothing else is.
#[apply(case)]
async fn a_stream_passes_over_what_has_run_out_and_over_nothing_else(fixture: Fixture) {
    let app = fixture.app().await;
    let (owner, ctx) = with_notifications(&app, "ada", 3).await;
    app.advance(DAY * 90);
    for place in 0..3 {
        app.accounts.change_username(&of(&app, &owner), &format!("later-{place}"), None).await.unwrap();
        app.event_log.tick().await.unwrap();
        app.deliveries.tick().await.unwrap();
    }
    let unread = ids(&app, &ctx, Shown::Inbox).await;
    let [newest, middle, oldest, ..] = unread[..] else { panic!("{unread:?}") };
    // One of each age is in the other folder.
    app.notifications.read(&ctx, middle).await.unwrap();
    app.notifications.read(&ctx, unread[4]).await.unwrap();
    app.advance(DAY * 91);
    for limit in [1, 2, 3, 50] {
        let (mut place, mut told) = (Timestamp::from_seconds(0), Vec::new());
        loop {
            let page = app.notifications.newer(&ctx, place, limit).await.unwrap();
            let Some(last) = page.last() else { break };
            place = last.created_at;
            told.extend(page.iter().map(|one| one.id));
        }
        assert_eq!(told, [oldest, middle, newest], "pages of {limit}");
    }
}

#[apply(case)]
async fn a_stream_is_told_of_what_came_after_its_place(fixture: Fixture) {
    let app = fixture.app().await;
    let (owner, ctx) = with_notifications(&app, "ada", 2).await;
    let latest = app.notifications.latest(&ctx).await.unwrap();
    assert!(app.notifications.newer(&ctx, latest, 50).await.unwrap().is_empty());
    app.advance(MINUTE);
    let mut arrivals = app.changes.arrivals().subscribe();
    app.accounts.change_username(&of(&app, &owner), "afterwards", None).await.unwrap();
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    assert_eq!(arrivals.try_recv().unwrap(), Arrived::For(owner.id));
    let newer = app.notifications.newer(&ctx, latest, 50).await.unwrap();
    assert_eq!(newer.len(), 1);
    assert_eq!(app.notifications.latest(&ctx).await.unwrap(), newer[0].created_at);
}
