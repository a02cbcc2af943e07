package dev.sund.lab.api;

import dev.sund.model.Ip;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The certificate authority of a lab: vouches for its API server and for clients that show a
 * certificate. The JDK verifies certificates but makes none, so they are put together here (RFC
 * 5280, ECDSA on P-256 with SHA-256).
 *
 * <p>For any thread.
 */
public final class LabAuthority {
  private static final byte[] ECDSA_SHA256 = Der.sequence(Der.oid("1.2.840.10045.4.3.2"));
  private static final Duration LIFE = Duration.ofDays(30);

  private final SecureRandom random = new SecureRandom();
  private final Instant now;
  private final KeyPair keys;
  private final byte[] name = distinguished("sund-lab-ca", List.of());
  private final Certificate certificate;

  /**
   * A certificate with its key.
   *
   * @param certificate in PEM
   * @param key in PEM, PKCS#8
   */
  public record Identity(String certificate, String key) {}

  private record Made(Certificate certificate, PrivateKey key) {}

  /**
   * A new authority.
   *
   * @param now when its certificates begin to be valid, less an hour
   */
  public LabAuthority(Instant now) {
    this.now = now;
    keys = newKeys();
    byte[] isAuthority = extension("2.5.29.19", Der.sequence(Der.truth()));
    certificate = signed(name, keys, isAuthority);
  }

  /** Its own certificate in PEM, for those who are to trust it. */
  public String pem() {
    return pem(certificate);
  }

  /**
   * How a server at these names and addresses speaks TLS; it asks for a client's certificate and
   * takes clients without.
   */
  public SSLContext server(List<String> names, List<Ip> addresses) {
    List<byte[]> alternatives = new ArrayList<>();
    names.forEach(
        each -> alternatives.add(Der.tagged(0x82, each.getBytes(StandardCharsets.US_ASCII))));
    addresses.forEach(each -> alternatives.add(Der.tagged(0x87, each.toBytes())));
    byte[] san = extension("2.5.29.17", Der.sequence(alternatives.toArray(byte[][]::new)));
    KeyPair own = newKeys();
    Certificate shown = signed(distinguished("kube-apiserver", List.of()), own, san);
    try {
      KeyStore store = emptyStore();
      store.setKeyEntry(
          "server", own.getPrivate(), new char[0], new Certificate[] {shown, certificate});
      KeyManagerFactory shows =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      shows.init(store, new char[0]);
      KeyStore trusted = emptyStore();
      trusted.setCertificateEntry("authority", certificate);
      TrustManagerFactory trusts =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trusts.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(shows.getKeyManagers(), trusts.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e); // the JDK has all of this
    }
  }

  /** A client's certificate: its common name is the user, its organizations are the groups. */
  public Identity client(Subject subject) {
    KeyPair own = newKeys();
    byte[] forClients = extension("2.5.29.37", Der.sequence(Der.oid("1.3.6.1.5.5.7.3.2")));
    Certificate made = signed(distinguished(subject.name(), subject.groups()), own, forClients);
    return new Identity(pem(made), pem("PRIVATE KEY", own.getPrivate().getEncoded()));
  }

  private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private KeyPair newKeys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"), random);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has P-256
    }
  }

  private Certificate signed(byte[] subject, KeyPair of, byte[]... extensions) {
    byte[] body =
        Der.sequence(
            Der.tagged(0xa0, Der.integer(BigInteger.TWO)), // version 3
            Der.integer(new BigInteger(63, random).add(BigInteger.ONE)),
            ECDSA_SHA256,
            name,
            Der.sequence(Der.time(now.minus(Duration.ofHours(1))), Der.time(now.plus(LIFE))),
            subject,
            of.getPublic().getEncoded(),
            Der.tagged(0xa3, Der.sequence(extensions)));
    try {
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(keys.getPrivate(), random);
      signature.update(body);
      byte[] whole = Der.sequence(body, ECDSA_SHA256, Der.bits(0, signature.sign()));
      return CertificateFactory.getInstance("X.509")
          .generateCertificate(new ByteArrayInputStream(whole));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // what is written here is read by the same JDK
    }
  }

  private static byte[] extension(String oid, byte[] value) {
    boolean critical = oid.equals("2.5.29.19");
    return critical
        ? Der.sequence(Der.oid(oid), Der.truth(), Der.octets(value))
        : Der.sequence(Der.oid(oid), Der.octets(value));
  }

  private static byte[] distinguished(String common, List<String> organizations) {
    List<byte[]> parts = new ArrayList<>();
    organizations.forEach(
        each -> parts.add(Der.set(Der.sequence(Der.oid("2.5.4.10"), Der.utf8(each)))));
    parts.add(Der.set(Der.sequence(Der.oid("2.5.4.3"), Der.utf8(common))));
    return Der.sequence(parts.toArray(byte[][]::new));
  }

  private static String pem(Certificate certificate) {
    try {
      return pem("CERTIFICATE", certificate.getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String pem(String label, byte[] content) {
    return "-----BEGIN "
        + label
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
        + "\n-----END "
        + label
        + "-----\n";
  }
}
