package userd;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.util.HexFormat;
import java.util.Map;

/** A public key with the one algorithm that it is for. */
final class Key {
    /** What stands before the 32 bytes of an Ed25519 key in its X.509 form. */
    private static final byte[] ED25519 = HexFormat.of().parseHex("302a300506032b6570032100");

    private final JWSAlgorithm algorithm;
    private final JWSVerifier verifier;
    private final PublicKey ed25519;

    private Key(JWSAlgorithm algorithm, JWSVerifier verifier, PublicKey ed25519) {
        this.algorithm = algorithm;
        this.verifier = verifier;
        this.ed25519 = ed25519;
    }

    /** The key of a JWK; null where it cannot be used, so that a new kind breaks nothing. */
    static Key of(Map<String, Object> member) {
        try {
            JWK jwk = JWK.parse(member);
            boolean isForSignatures = jwk.getKeyUse() == null || jwk.getKeyUse().equals(KeyUse.SIGNATURE);
            Key key = isForSignatures && jwk.getKeyID() != null ? of(jwk) : null;
            boolean isPinned = key != null && (jwk.getAlgorithm() == null || jwk.getAlgorithm().equals(key.algorithm));
            return isPinned ? key : null;
        } catch (ParseException | JOSEException | GeneralSecurityException | IllegalArgumentException unusable) {
            return null;
        }
    }

    private static Key of(JWK jwk) throws JOSEException, GeneralSecurityException {
        if (jwk instanceof OctetKeyPair pair && Curve.Ed25519.equals(pair.getCurve()) && pair.getDecodedX().length == 32) {
            byte[] encoded = new byte[ED25519.length + 32];
            System.arraycopy(ED25519, 0, encoded, 0, ED25519.length);
            System.arraycopy(pair.getDecodedX(), 0, encoded, ED25519.length, 32);
            PublicKey key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
            return new Key(JWSAlgorithm.EdDSA, null, key);
        }
        if (jwk instanceof ECKey ec && Curve.P_256.equals(ec.getCurve())) {
            return new Key(JWSAlgorithm.ES256, new ECDSAVerifier(ec.toECPublicKey()), null);
        }
        if (jwk instanceof RSAKey rsa && rsa.toRSAPublicKey().getModulus().bitLength() >= 2048) {
            return new Key(JWSAlgorithm.RS256, new RSASSAVerifier(rsa.toRSAPublicKey()), null);
        }
        return null;
    }

    String algorithm() {
        return algorithm.getName();
    }

    boolean isSigned(byte[] content, byte[] signature) {
        try {
            if (ed25519 == null) {
                return verifier.verify(new JWSHeader(algorithm), content, Base64URL.encode(signature));
            }
            // By the JDK: Nimbus would want one more library for it.
            Signature check = Signature.getInstance("Ed25519");
            check.initVerify(ed25519);
            check.update(content);
            // The JDK ignores what comes behind the 64 bytes.
            return signature.length == 64 && check.verify(signature);
        } catch (JOSEException | GeneralSecurityException wrong) {
            return false;
        }
    }
}
