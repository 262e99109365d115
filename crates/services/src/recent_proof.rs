//! The proof that a sensitive act needs: the strongest that its owner can give, a moment ago. Whoever holds a second
//! factor must have shown it; a password alone opens nothing by which the account could be taken over.

use userd_model::{Act, Actor, Factor, Level, Permission, Refusal, UserId};
use userd_storage::{Failure, UnitOfWork};

use crate::{Context, Dependencies, Settings, role_reader::read_permissions};

/// Refuses whoever has not given their strongest proof a moment ago; answers the factors that they hold. Asked within
/// the change where one is made: a factor that was set up meanwhile counts.
///
/// # Errors
/// `InsufficientAuthentication`; `Forbidden` for who is no user.
pub(crate) async fn must_be_given(
    ctx: &Context,
    settings: &Settings,
    unit: &mut UnitOfWork,
) -> Result<Vec<Factor>, Failure> {
    let (user, _) = ctx.user()?;
    let factors = unit.factors().of_user(user).await?;
    let level = if factors.is_empty() { Level::One } else { Level::Two };
    ctx.must_have_proven(level, settings.fresh_sign_in)?;
    Ok(factors)
}

/// Refuses whoever holds a second factor and has not shown it a moment ago. Those who hold none prove themselves
/// otherwise, as with their current password.
///
/// # Errors
/// `InsufficientAuthentication`.
pub(crate) async fn must_show_factor(
    ctx: &Context,
    settings: &Settings,
    unit: &mut UnitOfWork,
    user: UserId,
) -> Result<(), Failure> {
    if !unit.factors().of_user(user).await?.is_empty() {
        ctx.must_have_proven(Level::Two, settings.fresh_sign_in)?;
    }
    Ok(())
}

/// The proof of an owner once more, within the change, where it was asked for before a password was hashed: a factor that was
/// set up meanwhile counts. The password proves them beside a factor, and is the whole proof where there is none.
///
/// # Errors
/// `InsufficientAuthentication`.
pub(crate) async fn must_still_be_given(
    ctx: &Context,
    settings: &Settings,
    unit: &mut UnitOfWork,
    by_password: bool,
) -> Result<(), Failure> {
    let (user, _) = ctx.user()?;
    if by_password {
        return must_show_factor(ctx, settings, unit, user).await;
    }
    must_be_given(ctx, settings, unit).await.map(drop)
}

/// The same for an act to somebody else: people prove themselves; a service has just shown its secret, and the operator
/// is at the machine.
///
/// # Errors
/// `InsufficientAuthentication`.
pub(crate) async fn must_be_given_by_people(
    ctx: &Context,
    settings: &Settings,
    unit: &mut UnitOfWork,
) -> Result<(), Failure> {
    match ctx.actor {
        Actor::User { .. } => must_be_given(ctx, settings, unit).await.map(drop),
        _ => Ok(()),
    }
}

/// That somebody may administer this now: who holds the permission, after the second factor that they hold (decision 0062).
///
/// # Errors
/// `Forbidden`, `InsufficientAuthentication`.
pub(crate) async fn may_administer(ctx: &Context, act: &Act, deps: &Dependencies) -> Result<(), Failure> {
    ctx.may(act)?;
    must_be_strong(ctx, &mut deps.store.reading()).await
}

/// Whoever may manage roles can give themself and others everything: only who may too bars, weakens or ends their account, or
/// brings it back (decision 0063). Asked first within the change that does: what they were given meanwhile counts.
///
/// # Errors
/// `Forbidden`.
pub(crate) async fn must_not_be_above(ctx: &Context, unit: &mut UnitOfWork, of: UserId) -> Result<(), Failure> {
    if ctx.actor.holds(&Permission::ROLES_MANAGE) {
        return Ok(());
    }
    let Some(user) = unit.users().find(of).await? else { return Ok(()) };
    let mut held = read_permissions(unit, &user.roles).await?;
    held.extend(user.held.permissions.iter().filter_map(|word| Permission::parse(word)));
    if held.contains(&Permission::ROLES_MANAGE) { Err(Refusal::Forbidden.into()) } else { Ok(()) }
}

/// Refuses an administrator who holds a second factor and has not shown it in this session. Services have none.
///
/// # Errors
/// `InsufficientAuthentication`.
pub(crate) async fn must_be_strong(ctx: &Context, unit: &mut UnitOfWork) -> Result<(), Failure> {
    let Actor::User { id, .. } = ctx.actor else { return Ok(()) };
    if ctx.level < Level::Two && !unit.factors().of_user(id).await?.is_empty() {
        return Err(Refusal::InsufficientAuthentication { level: Level::Two, max_age: None }.into());
    }
    Ok(())
}
