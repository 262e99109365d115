//! Our calls to the provider, what is read from its answers, and configurations that make no sense.

use super::*;

#[tokio::test]
async fn user_info_about_somebody_else_is_refused() {
    let story = Story::with(Kind::Oidc, |config| config.userinfo = Some(true)).await;
    assert!(story.sign_in().await.is_ok());
    for sub in [json!("4243"), json!(null), json!(4242), json!("")] {
        story.behave(|b| b.info = json!({ "sub": sub }));
        assert_eq!(slug(story.sign_in().await), "subject_mismatch", "{sub}");
    }
}

#[tokio::test]
async fn user_info_fills_gaps_and_overrides_nothing() {
    let story = Story::with(Kind::Oidc, |config| config.trust_email = Some(true)).await;
    story.behave(|b| {
        b.claims = json!({ "email": null, "email_verified": true, "name": "Signed" });
        b.info = json!({ "email": "info@elsewhere.example", "email_verified": false, "name": "Unsigned" });
    });
    let profile = story.sign_in().await.unwrap();
    assert_eq!(profile.email.as_deref(), Some("info@elsewhere.example"));
    assert!(!profile.email_verified, "the flag belongs to the address it came with");
    assert_eq!(profile.name.as_deref(), Some("Signed"));
}

/// AC-067: each client assertion has its own `jti`, names the issuer as its audience and lives for minutes.
#[tokio::test]
async fn a_client_assertion_is_for_the_issuer_and_for_once() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let public = key.verifying_key(Some("ours".into())).unwrap();
    let story = Story::with(Kind::Oidc, |config| {
        config.token_auth = Some(TokenAuth::PrivateKeyJwt);
        config.private_key = Some(support::pem(&key));
        config.key_id = Some("ours".into());
    })
    .await;
    story.sign_in().await.unwrap();
    story.sign_in().await.unwrap();
    let mut ids = Vec::new();
    for ask in story.upstream.requests_to("/token") {
        let form = ask.form();
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!form.contains_key("client_secret"));
        let compact = userd_jose::Compact::parse(&form["client_assertion"], 4096).unwrap();
        let claims = compact.verify_claims(&public).unwrap();
        assert_eq!(claims.text("aud").unwrap(), Some(story.upstream.base_url.as_str()));
        assert_eq!(claims.integer("exp").unwrap(), Some(now().seconds() + 300));
        ids.push(claims.text("jti").unwrap().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn the_secret_goes_where_the_provider_takes_it() {
    let basic = Story::new(Kind::Oidc).await;
    basic.sign_in().await.unwrap();
    let ask = &basic.upstream.requests_to("/token")[0];
    assert!(ask.header("authorization").unwrap().starts_with("Basic ") && !ask.form().contains_key("client_secret"));
    let post = Story::new(Kind::Oidc).await;
    post.behave(|b| b.discovery = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
    post.sign_in().await.unwrap();
    let ask = &post.upstream.requests_to("/token")[0];
    assert_eq!((ask.header("authorization"), ask.form()["client_secret"].as_str()), (None, support::SECRET));
    let public = Story::with(Kind::Oidc, |config| config.client_secret = None).await;
    public.sign_in().await.unwrap();
    let ask = &public.upstream.requests_to("/token")[0];
    assert!(ask.header("authorization").is_none() && ask.form()["client_id"] == "our-client");
}

#[tokio::test]
async fn tokens_are_refreshed_and_revoked() {
    let story = Story::with(Kind::Oidc, |config| config.keep_tokens = Some(true)).await;
    let tokens = story.sign_in().await.unwrap().tokens.unwrap();
    assert_eq!(tokens.expires_at, Some(later(3600)));
    story.behave(|b| b.token = json!({ "access_token": "at-2", "refresh_token": null }));
    let newer = story.provider.refresh(&tokens, now()).await.unwrap();
    assert_eq!(newer.access_token.expose(), "at-2");
    assert_eq!(newer.refresh_token.as_ref().map(Secret::expose), Some("rt-1"), "what is left out stays");
    story.provider.revoke(&newer, now()).await.unwrap();
    assert_eq!(story.upstream.requests_to("/revoke")[0].form()["token"], "rt-1");
}

#[tokio::test]
async fn groups_and_claims_are_found_where_the_mapping_says() {
    let story = Story::with(Kind::Oidc, |config| {
        config.mapping = Some(
            serde_json::from_value(
                json!({ "groups": "/realm/roles", "username": "/people/0/login", "phone": "mobile" }),
            )
            .unwrap(),
        );
    })
    .await;
    story.behave(|b| {
        b.claims = json!({ "realm": { "roles": ["a", "b", 7, null] }, "people": [{ "login": "p" }], "mobile": "79001234567" });
    });
    let profile = story.sign_in().await.unwrap();
    assert_eq!(profile.groups, ["a", "b", "7"]);
    assert_eq!(profile.username.as_deref(), Some("p"));
    assert_eq!(profile.phone.as_deref(), Some("+79001234567"));
}

/// AC-139: what a provider says of an address counts for the domains that the operator lets it answer for, and for
/// no other (fault 11).
#[tokio::test]
async fn a_verified_address_counts_for_the_domains_that_were_named() {
    for kind in [Kind::Oidc, Kind::Oauth2] {
        let story = Story::with(kind, |config| config.allowed_domains = vec!["Elsewhere.example".into()]).await;
        let says = |email: &'static str, verified: serde_json::Value| {
            story.behave(|b| (b.email, b.email_verified) = (Some(email), Some(verified)));
            async {
                let profile = story.sign_in().await.unwrap();
                (profile.email_verified, profile.email_vouched, story.provider.policy().admits(&profile))
            }
        };
        for yes in [json!(true), json!("true")] {
            assert_eq!(says("person@ELSEWHERE.example", yes).await, (true, true, true), "{kind:?}");
        }
        for no in [json!(false), json!("false"), json!(null), json!(1)] {
            assert_eq!(says("person@elsewhere.example", no.clone()).await, (false, false, false), "{kind:?} {no}");
        }
        for elsewhere in [
            "person@evil.example",
            "person@sub.elsewhere.example",
            "person@evil.example\n@elsewhere.example",
            "person@evil.example @elsewhere.example",
            "person@evil.example@elsewhere.example",
            "\"person@evil.example\"@elsewhere.example",
        ] {
            assert_eq!(says(elsewhere, json!(true)).await, (false, false, false), "{kind:?} {elsewhere:?}");
        }
        let nowhere = Story::new(kind).await;
        nowhere.behave(|b| b.email_verified = Some(json!(true)));
        assert!(!nowhere.sign_in().await.unwrap().email_verified, "{kind:?} without the list");
    }
}

/// Whoever may sign up as any tenant's administrator verifies any address (fault 11).
#[tokio::test]
async fn a_tenant_that_nobody_named_answers_for_no_domain() {
    let template = "https://login.example/{tenantid}/v2.0";
    for tenants in [vec![], vec!["tenant-a".to_owned()]] {
        let named = !tenants.is_empty();
        let story = Story::with(Kind::Oidc, |config| {
            config.issuer_template = Some(template.into());
            config.tenants = tenants;
            config.allowed_domains = vec!["elsewhere.example".into()];
            // Otherwise it is refused: nobody could come in.
            config.trust_email = (!named).then_some(true);
        })
        .await;
        story.behave(|b| {
            b.discovery = json!({ "issuer": template });
            b.issuer = "https://login.example/tenant-a/v2.0".into();
            b.claims = json!({ "tid": "tenant-a" });
        });
        assert!(!story.sign_in().await.unwrap().email_verified, "no claim");
        story.behave(|b| b.email_verified = Some(json!(true)));
        assert!(story.sign_in().await.unwrap().email_verified);
    }
}

/// The operator's trust stands in for a claim that is absent, but takes over nobody's account (fault 11).
#[tokio::test]
async fn trust_without_a_claim_vouches_for_nothing() {
    for kind in Kind::ALL {
        if matches!(kind, Kind::Telegram | Kind::Github) {
            continue;
        }
        let story = Story::with(kind, |config| config.trust_email = Some(true)).await;
        let profile = story.sign_in().await.unwrap();
        assert_eq!((profile.email_verified, profile.email_vouched), (true, false), "{kind:?}");
    }
}

#[tokio::test]
async fn whether_an_address_is_verified_is_told_by_who_told_the_address() {
    let story = Story::with(Kind::Oidc, |config| {
        config.userinfo = Some(true);
        config.allowed_domains = vec!["elsewhere.example".into()];
    })
    .await;
    story.behave(|b| b.info = json!({ "email": "other@elsewhere.example", "email_verified": true }));
    assert!(!story.sign_in().await.unwrap().email_verified, "the flag speaks for another address");
    story.behave(|b| b.info = json!({ "email_verified": true }));
    assert!(story.sign_in().await.unwrap().email_verified);
}

/// An answer that adds nothing that is needed may be absent (fault 15).
#[tokio::test]
async fn a_failing_user_info_keeps_nobody_out_who_needs_nothing_of_it() {
    let ill = || [support::Fault::Status(404, json!({})), support::Fault::Text(502, "<html>".into())];
    for asked in [None, Some(true)] {
        let story = Story::with(Kind::Oidc, |config| config.userinfo = asked).await;
        for fault in ill() {
            story.behave(|b| {
                b.claims = if asked.is_none() { json!({ "email": null }) } else { json!({}) };
                b.instead = vec![("/userinfo", fault)];
            });
            let profile = story.sign_in().await.unwrap();
            assert_eq!((profile.subject.as_str(), profile.email.is_some()), ("4242", asked.is_some()));
        }
    }
    let listed = Story::with(Kind::Oidc, |config| config.allowed_domains = vec!["elsewhere.example".into()]).await;
    listed.behave(|b| b.info = json!({ "email": "person@elsewhere.example", "email_verified": true }));
    assert!(listed.sign_in().await.unwrap().email_verified, "the flag is asked for where the token leaves it out");
    for fault in ill() {
        listed.behave(|b| b.instead = vec![("/userinfo", fault)]);
        assert!(listed.sign_in().await.is_err(), "the domain list needs it");
    }
}

/// OIDC Core 5.3.2: the answer may be signed (fault 15).
#[tokio::test]
async fn signed_user_info_is_read_and_verified() {
    let story = Story::new(Kind::Oidc).await;
    let answers = |change: serde_json::Value, somebody_elses: bool| {
        story.behave(|b| {
            b.claims = json!({ "email": null, "name": null });
            let info = json!({ "iss": b.issuer, "aud": "our-client", "sub": "4242", "name": "Signed" });
            let other = SigningKey::generate(Algorithm::ES256).unwrap();
            let key = if somebody_elses { &other } else { &b.key };
            let info = userd_stand_ins::generic::merged(info, &change);
            let token = userd_jose::sign_compact(key, &json!({ "kid": "k1" }), &info).unwrap();
            b.instead = vec![("/userinfo", support::Fault::Text(200, token))];
        });
        async { story.sign_in().await.map(|profile| profile.name) }
    };
    for fine in [json!({}), json!({ "iss": null, "aud": null }), json!({ "aud": ["our-client", "other"] })] {
        assert_eq!(answers(fine.clone(), false).await.unwrap().as_deref(), Some("Signed"), "{fine}");
    }
    assert_eq!(slug(answers(json!({ "sub": "4243" }), false).await), "subject_mismatch");
    for (wrong, slug_of_it) in [
        (json!({ "iss": "https://evil.example" }), "issuer_mismatch"),
        (json!({ "aud": "other" }), "audience_mismatch"),
        (json!({ "exp": 1 }), "token_expired"),
    ] {
        assert_eq!(slug(answers(wrong, false).await), slug_of_it);
    }
    assert_eq!(slug(answers(json!({}), true).await), "signature_invalid");
}

#[tokio::test]
async fn a_locale_may_be_written_with_an_underscore() {
    let story = Story::new(Kind::Oidc).await;
    story.behave(|b| b.claims = json!({ "locale": "en_US" }));
    assert_eq!(story.sign_in().await.unwrap().locale.as_deref(), Some("en-US"));
}

/// A list that locks everybody out is told before anybody stands outside (fault 11).
#[test]
fn a_domain_list_that_nobody_can_be_on_is_refused() {
    for kind in Kind::ALL {
        for trust in [None, Some(true), Some(false)] {
            let mut config = support::config(kind, "https://idp.example");
            config.allowed_domains = vec!["example.org".into()];
            config.trust_email = trust;
            let says_verified = matches!(
                kind,
                Kind::Oidc | Kind::Oauth2 | Kind::Google | Kind::Apple | Kind::Github | Kind::Yandex | Kind::Mailru
            );
            let lawful = kind != Kind::Telegram && trust.unwrap_or(says_verified);
            let built = build(&config, &support::dependencies()).map(drop).map_err(|error| error.field);
            let expected = if lawful { Ok(()) } else { Err("allowed_domains".into()) };
            assert_eq!(built, expected, "{kind:?} {trust:?}");
        }
    }
}

#[test]
fn a_wrong_configuration_names_its_key() {
    type Change = fn(&mut userd_providers::ProviderConfig);
    let cases: [(&str, Change); 14] = [
        ("id", |c| c.id = "../x".into()),
        ("client_id", |c| c.client_id.clear()),
        ("issuer", |c| c.issuer = None),
        ("issuer", |c| c.issuer = Some("https://user:pw@idp.example".into())),
        ("issuer", |c| c.issuer = Some("https://idp.example?x=1".into())),
        ("endpoints", |c| c.issuer = Some("http://idp.example".into())),
        ("endpoints.token", |c| c.endpoints.token = Some("file:///etc/passwd".into())),
        ("authorize_params", |c| drop(c.authorize_params.insert("redirect_uri".into(), "x".into()))),
        ("algorithms", |c| c.algorithms = Some(vec!["HS256".into()])),
        ("scopes", |c| c.scopes = Some(vec!["email".into()])),
        ("timeout", |c| c.timeout = Some(userd_providers::Span(std::time::Duration::from_secs(11)))),
        ("client_secret_file", |c| c.client_secret_file = Some("/nonexistent".into())),
        ("ca_file", |c| c.ca_file = Some("/nonexistent".into())),
        ("proxy", |c| c.proxy = Some(Secret::new("::not a url::"))),
    ];
    for (field, change) in cases {
        let mut config = support::config(Kind::Oidc, "https://idp.example");
        if field == "client_secret_file" {
            config.client_secret = None;
        }
        change(&mut config);
        let error = build(&config, &support::dependencies()).err().unwrap_or_else(|| panic!("{field} was accepted"));
        assert_eq!(error.field, field, "{error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
}
