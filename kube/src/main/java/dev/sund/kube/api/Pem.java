package dev.sund.kube.api;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * PEM texts to a TLS context. Keys come as PKCS#8, or in the older forms that kubeadm (RSA, PKCS#1)
 * and k3s (EC, SEC 1) write, which are wrapped into PKCS#8 here.
 */
final class Pem {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");
  private static final byte[] RSA_ALGORITHM = {
    0x30,
    0x0d,
    0x06,
    0x09,
    0x2a,
    (byte) 0x86,
    0x48,
    (byte) 0x86,
    (byte) 0xf7,
    0x0d,
    0x01,
    0x01,
    0x01,
    0x05,
    0x00
  };
  private static final byte[] EC_ALGORITHM = {
    0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01
  };

  private Pem() {}

  /**
   * A context that trusts these authorities ({@code authorities} empty: those of the JDK) and shows
   * this certificate.
   */
  static SSLContext context(
      Optional<String> authorities, Optional<String> certificate, Optional<String> key)
      throws GeneralSecurityException, IOException {
    TrustManager[] trust = null;
    if (authorities.isPresent()) {
      KeyStore store = emptyStore();
      for (Certificate authority : certificates(authorities.get())) {
        store.setCertificateEntry("authority-" + store.size(), authority);
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      trust = factory.getTrustManagers();
    }
    KeyManager[] keys = null;
    if (certificate.isPresent() && key.isPresent()) {
      KeyStore store = emptyStore();
      Certificate[] chain = certificates(certificate.get()).toArray(Certificate[]::new);
      store.setKeyEntry("client", privateKey(key.get()), new char[0], chain);
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(store, new char[0]);
      keys = factory.getKeyManagers();
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys, trust, null);
    return context;
  }

  private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static List<Certificate> certificates(String text) throws GeneralSecurityException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<Certificate> found = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(text);
    while (matcher.find()) {
      if (matcher.group(1).equals("CERTIFICATE")) {
        found.add(factory.generateCertificate(new ByteArrayInputStream(decoded(matcher))));
      }
    }
    if (found.isEmpty()) {
      throw new GeneralSecurityException("there is no PEM block CERTIFICATE");
    }
    return found;
  }

  static PrivateKey privateKey(String text) throws GeneralSecurityException {
    Matcher matcher = BLOCK.matcher(text);
    while (matcher.find()) {
      byte[] content = decoded(matcher);
      switch (matcher.group(1)) {
        case "PRIVATE KEY" -> {
          return anyKey(content);
        }
        case "RSA PRIVATE KEY" -> {
          return anyKey(pkcs8(RSA_ALGORITHM, content));
        }
        case "EC PRIVATE KEY" -> {
          byte[] algorithm = der(0x30, joined(EC_ALGORITHM, curve(content)));
          return anyKey(pkcs8(algorithm, content));
        }
        default -> {
          // EC PARAMETERS and certificates may stand beside the key.
        }
      }
    }
    throw new GeneralSecurityException("there is no PEM block with a private key");
  }

  private static PrivateKey anyKey(byte[] pkcs8) throws GeneralSecurityException {
    PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(pkcs8);
    for (String algorithm : List.of("RSA", "EC", "Ed25519")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (GeneralSecurityException _) {
        // Of another algorithm, or damaged: the last line tells.
      }
    }
    throw new GeneralSecurityException("the private key is no RSA, EC or Ed25519 key");
  }

  /** The curve's name that a SEC 1 key holds in its element [0]: an object identifier in DER. */
  private static byte[] curve(byte[] sec1) throws GeneralSecurityException {
    for (int i = 0; i + 3 < sec1.length; i++) {
      boolean tagged = (sec1[i] & 0xff) == 0xa0 && sec1[i + 2] == 0x06;
      int length = sec1[i + 1];
      if (tagged && length == sec1[i + 3] + 2 && i + 2 + length <= sec1.length) {
        byte[] name = new byte[length];
        System.arraycopy(sec1, i + 2, name, 0, length);
        return name;
      }
    }
    throw new GeneralSecurityException("the EC key does not name its curve");
  }

  private static byte[] pkcs8(byte[] algorithm, byte[] key) {
    byte[] version = {0x02, 0x01, 0x00};
    return der(0x30, joined(version, algorithm, der(0x04, key)));
  }

  private static byte[] der(int tag, byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    if (content.length < 128) {
      out.write(content.length);
    } else if (content.length < 256) {
      out.write(0x81);
      out.write(content.length);
    } else {
      out.write(0x82);
      out.write(content.length >> 8);
      out.write(content.length);
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] decoded(Matcher block) throws GeneralSecurityException {
    try {
      byte[] text = block.group(2).getBytes(StandardCharsets.US_ASCII);
      return Base64.getMimeDecoder().decode(text);
    } catch (IllegalArgumentException _) {
      throw new GeneralSecurityException("a PEM block is not base64");
    }
  }
}
