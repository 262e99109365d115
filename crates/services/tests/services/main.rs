//! What the services promise, as cases that each run on every engine at hand and with re-runs forced. Every success
//! and every refusal of an intention is here; HTTP is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]

mod access_tokens;
mod account_changes;
mod clients;
mod devices;
mod faults;
mod limits;
mod login;
mod master_key;
mod outbox;
mod personas;
mod policy;
mod refresh;
mod register;
mod revocations;
mod setup;
mod sign_in;
mod signing_keys;
mod stage;
mod sweeper;
mod users;

/// Makes a test of each case in each setting.
macro_rules! services {
    (@setting $name:ident $backend:ident $weather:ident: $($module:ident { $($case:ident,)+ })+) => {
        mod $name {
            use userd_storage::testing::Backend;
            use crate::stage::{Weather, run};
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    run(Backend::$backend, Weather::$weather, crate::$module::$case).await;
                }
            )+)+
        }
    };
    ($($list:tt)*) => {
        services!(@setting in_memory Memory Plain: $($list)*);
        services!(@setting run_twice Memory RunTwice: $($list)*);
        services!(@setting conflict_first Memory ConflictFirst: $($list)*);
        services!(@setting on_postgres Postgres Plain: $($list)*);
    };
}

services! {
    register {
        somebody_registers_with_an_email_and_is_signed_in,
        a_username_alone_is_enough_and_both_work_for_signing_in,
        a_taken_email_is_refused_in_every_spelling,
        a_username_that_looks_like_a_taken_one_is_refused,
        names_of_the_house_are_for_nobody,
        everything_that_is_wrong_is_said_at_once,
        closed_registration_is_closed,
        one_network_registers_only_so_many,
        a_repeated_request_gets_the_first_answer,
        sixty_four_want_one_address_and_one_gets_it,
        sixty_four_repeats_at_once_make_one_account_and_equal_answers,
        a_password_is_compared_whole_and_never_grows_old,
    }
    login {
        every_spelling_of_a_login_gets_in,
        a_wrong_password_and_an_unknown_login_look_the_same,
        a_malformed_device_name_is_refused_before_anything_else,
        a_blocked_account_says_so_only_to_who_knows_the_password,
        a_deleted_account_does_not_exist_for_who_signs_in,
        a_sign_in_hashes_anew_when_the_parameters_have_changed,
        a_hash_that_cannot_be_checked_answers_like_a_wrong_password,
        ended_sessions_do_not_pile_up,
        every_sign_in_makes_a_new_session,
        the_second_person_at_a_device_never_gets_the_first_ones_session,
    }
    limits {
        a_thousand_guesses_at_once_are_five,
        every_spelling_of_a_login_shares_one_counter,
        an_unknown_login_is_delayed_alike,
        a_lock_is_shared_by_every_way_in,
        a_lock_is_a_delay_that_only_time_ends,
        a_known_device_gets_in_while_strangers_are_delayed,
        a_success_costs_nothing,
        one_network_guesses_at_many_accounts_only_so_often,
        a_session_is_refreshed_only_so_often,
    }
    refresh {
        a_refresh_gives_a_new_pair_of_the_same_session,
        a_lost_answer_is_given_again,
        sixty_four_refreshes_at_once_are_one,
        an_older_token_ends_the_family,
        a_stolen_token_tried_many_times_at_once_is_told_once,
        a_forged_token_never_reaches_the_database,
        one_kind_of_token_is_never_taken_for_another,
        a_token_that_is_not_used_expires,
        each_refresh_begins_the_time_anew,
        no_refreshing_outlives_the_longest_life,
        a_signed_out_session_is_not_refreshed,
        every_token_dies_with_a_block_and_a_new_password,
    }
    devices {
        the_list_shows_where_one_is_signed_in,
        pages_follow_each_other_over_ended_sessions,
        one_session_ends_and_the_others_go_on,
        nobody_ends_a_session_of_somebody_else,
        all_sessions_end_or_all_but_this_one,
        one_session_too_many_pushes_out_the_oldest,
    }
    account_changes {
        a_profile_is_changed_field_by_field,
        a_change_against_another_version_is_refused,
        every_wrong_field_of_a_profile_is_named,
        blocked_deleted_and_unknown_accounts_change_nothing,
        a_new_password_ends_every_other_session,
        a_new_password_kills_every_code_on_its_way,
        the_operator_sets_a_password_and_everybody_is_out,
        of_two_password_changes_at_once_one_wins,
        a_new_username_frees_the_old_one,
    }
    access_tokens {
        a_token_says_who_acts_and_what_they_may,
        a_role_gives_what_its_row_says,
        checking_a_token_asks_the_database_nothing,
        a_token_ends_with_its_time,
        a_session_end_a_block_and_a_raised_epoch_kill_tokens_at_once,
        one_token_is_revoked_and_its_session_goes_on,
        introspection_tells_all_or_nothing,
        a_token_for_somebody_else_is_refused,
        an_unknown_key_is_looked_up_once_a_second,
        a_member_is_forbidden_what_a_service_is_for,
    }
    clients {
        a_service_gets_a_token_with_its_secret,
        nobody_gives_a_service_what_they_do_not_hold,
        nobody_takes_over_a_service_that_may_do_more,
        who_may_not_manage_services_is_refused,
        a_new_secret_kills_what_the_old_one_got_and_nothing_else,
        a_shut_service_is_out_at_once_and_for_good,
        sixty_four_repeats_at_once_make_one_service,
        secrets_are_not_guessed_without_end,
    }
    setup {
        the_setup_link_makes_one_administrator_and_dies,
        a_wrong_or_old_setup_link_is_refused,
        sixty_four_set_up_at_once_and_one_becomes_administrator,
        the_operator_shuts_the_link_by_making_an_administrator,
        the_operator_makes_several_administrators_at_once,
    }
    users {
        only_who_may_administers_accounts,
        accounts_are_found_by_any_login_and_paged,
        a_block_shuts_an_account_and_an_unblock_opens_it,
        a_sign_out_ends_everything_and_the_account_stays_open,
        deleted_and_unknown_accounts_are_not_administered,
    }
    signing_keys {
        an_empty_database_gets_a_key_and_its_heir,
        many_replicas_start_at_once_and_share_one_key,
        many_replicas_start_at_once_on_an_empty_database,
        a_rotation_lets_the_heir_sign_and_old_tokens_stay_good,
        a_revoked_key_counts_nowhere_at_once,
        only_who_may_touches_keys,
        the_schedule_rotates_in_time_and_drops_the_retired_later,
        a_key_is_published_before_it_signs_also_when_the_algorithm_changes,
        a_schedule_and_a_hand_that_rotate_at_once_rotate_once,
        a_change_of_keys_reaches_the_other_replica,
    }
    master_key {
        everything_is_wrapped_anew_and_the_old_key_can_go,
        another_master_key_does_not_start,
        an_erased_user_is_no_obstacle,
    }
    revocations {
        the_other_replica_learns_of_everything_by_polling,
        a_changed_user_is_shown_anew_at_the_other_replica,
        a_shared_cache_brings_the_news_without_a_poll,
        an_entry_that_commits_late_is_found,
        own_entries_hide_nobody_elses,
        a_clock_that_is_ahead_hides_nothing,
        a_replica_that_starts_later_knows_what_was_revoked_before,
        entries_are_paged_and_forgotten,
    }
    sweeper {
        what_has_expired_goes_and_nothing_else,
        a_backlog_is_worked_off,
        one_replica_sweeps_at_a_time,
    }
    outbox {
        every_kind_of_event_is_written_once_by_its_change,
    }
    sign_in {
        a_missing_or_unknown_state_is_refused,
        a_replayed_state_is_refused,
        another_browser_cannot_finish_an_attempt,
        an_answer_at_another_providers_callback_is_refused,
        an_attempt_lives_ten_minutes,
        a_disabled_provider_is_refused_at_the_start_and_at_the_callback,
        a_provider_without_a_browser_flow_has_no_start,
        the_way_back_is_compared_exactly,
        a_refusal_of_the_provider_lands_where_the_application_waits,
        sixty_four_callbacks_make_one_account_and_one_code,
        sixty_four_first_sign_ins_of_one_person_make_one_account,
        attempts_from_one_network_are_limited,
        what_is_remembered_is_sealed_and_random,
        a_new_person_gets_an_account_and_is_known_the_next_time,
        only_provider_issuer_and_subject_identify,
        an_unproven_address_makes_an_account_without_one,
        a_proven_address_of_a_proven_account_is_told_and_never_linked,
        who_proves_the_mailbox_wins_it_from_who_only_claimed_it,
        accounts_with_roles_and_shut_accounts_are_never_won,
        blocked_and_deleted_people_stay_out,
        only_allowed_domains_come_in,
        closed_sign_up_lets_only_known_people_in,
        a_linked_account_signs_its_owner_in,
        linking_needs_a_fresh_sign_in,
        linking_ends_with_the_session_that_began_it,
        an_account_of_somebody_else_is_not_taken,
        a_sign_in_is_no_link_and_a_link_is_no_sign_in,
        unlinking_frees_the_account_elsewhere_and_tells_the_provider,
        the_last_way_in_is_not_unlinked,
        two_unlinkings_at_once_leave_a_way_in,
        a_second_name_is_the_same_account,
        nothing_of_the_provider_lies_in_the_clear,
        a_code_is_exchanged_once,
        a_code_lives_a_minute,
        a_code_with_a_proof_key_needs_its_verifier,
        what_shuts_the_account_kills_the_code,
        a_native_proof_works_once,
        sixty_four_native_proofs_make_one_session,
        a_tap_on_the_right_code_signs_in,
        a_wrong_code_ends_the_attempt,
        nobody_else_answers_for_the_person_asked,
        another_browser_cannot_poll,
        sixty_four_polls_hand_the_tokens_out_once,
        an_attempt_with_the_bot_lives_five_minutes,
        a_confirmed_attempt_dies_with_a_new_password,
        an_update_without_the_secret_is_refused,
        a_repeated_update_is_taken_once,
        an_update_that_comes_at_once_several_times_does_nothing_twice,
        access_of_the_bot_is_recorded_and_withdrawn,
        each_linked_account_has_its_own_bot_access,
        other_words_and_unknown_links_do_no_harm,
        an_update_goes_to_the_first_handler_that_takes_it,
        without_a_bot_there_is_no_such_way_in,
    }
}

// Faults are put in at each call by the case itself: engines alone, no other weather.
services!(@setting faults_in_memory Memory Plain: faults {
    a_registration_happens_wholly_or_not_at_all,
    a_sign_in_happens_wholly_or_not_at_all,
    a_refresh_happens_wholly_or_not_at_all,
    a_password_change_happens_wholly_or_not_at_all,
    a_block_and_a_new_username_happen_wholly_or_not_at_all,
    a_refused_change_leaves_nothing_behind,
});
services!(@setting faults_on_postgres Postgres Plain: faults {
    a_registration_happens_wholly_or_not_at_all,
    a_sign_in_happens_wholly_or_not_at_all,
    a_refresh_happens_wholly_or_not_at_all,
    a_password_change_happens_wholly_or_not_at_all,
    a_block_and_a_new_username_happen_wholly_or_not_at_all,
    a_refused_change_leaves_nothing_behind,
});
