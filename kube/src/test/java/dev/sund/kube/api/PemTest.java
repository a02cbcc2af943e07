package dev.sund.kube.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PemTest {
  @Test
  void rsaKeyInItsOldFormIsTheSameKey() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    PrivateKey key = generator.generateKeyPair().getPrivate();
    byte[] pkcs8 = key.getEncoded();
    byte[] pkcs1 = Arrays.copyOfRange(pkcs8, 26, pkcs8.length); // behind the algorithm's name
    assertThat(Pem.privateKey(TestCertificates.pem("RSA PRIVATE KEY", pkcs1))).isEqualTo(key);
    assertThat(Pem.privateKey(TestCertificates.pem("PRIVATE KEY", pkcs8))).isEqualTo(key);
  }

  @Test
  void textWithoutAKeyIsRefused() {
    assertThatThrownBy(() -> Pem.privateKey("nothing")).hasMessageContaining("no PEM block");
    assertThatThrownBy(
            () -> Pem.privateKey(TestCertificates.pem("PRIVATE KEY", new byte[] {1, 2, 3})))
        .hasMessageContaining("no RSA, EC or Ed25519 key");
    assertThatThrownBy(
            () -> Pem.privateKey(TestCertificates.pem("EC PRIVATE KEY", new byte[] {1, 2, 3})))
        .hasMessageContaining("does not name its curve");
  }
}
