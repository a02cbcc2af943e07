package dev.sund.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrefixTest {
  @Test
  void hostBitsAreRefusedAndTheNetworkIsNamed() {
    assertThatThrownBy(() -> Prefix.parse("10.244.1.7/24"))
        .hasMessage("10.244.1.7/24 has host bits set; the network is 10.244.1.0/24");
    assertThat(Prefix.around(Ip.parse("10.244.1.7"), 24)).hasToString("10.244.1.0/24");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "::/129",
        "::/1000",
        "10.0.0.0/8/8",
        "x/8",
        "10.0.0.0/٨"
      })
  void otherTextsAreRefusedByName(String text) {
    assertThatThrownBy(() -> Prefix.parse(text))
        .hasMessage("'" + text + "' is not a CIDR such as 10.244.0.0/16 or fd00:10::/56");
    assertThat(Prefix.tryParse(text)).isEmpty();
  }

  @Test
  void textComesBackAndTheEndsAreInside() {
    Random random = IpTest.seeded();
    for (int i = 0; i < 20_000; i++) {
      Prefix prefix = random(random);
      assertThat(Prefix.parse(prefix.toString())).isEqualTo(prefix);
      assertThat(prefix.contains(prefix.address())).isTrue();
      assertThat(prefix.contains(prefix.last())).isTrue();
      if (prefix.length() > 0) {
        assertThat(prefix.contains(prefix.last().plus(1))).isFalse();
        assertThat(prefix.contains(prefix.address().plus(-1))).isFalse();
      }
    }
  }

  @Test
  void containmentIsSharedLeadingBits() {
    Random random = IpTest.seeded();
    for (int i = 0; i < 20_000; i++) {
      Prefix prefix = random(random);
      Ip ip =
          random.nextBoolean() ? IpTest.random(random) : prefix.address().plus(random.nextInt(99));
      assertThat(prefix.contains(ip)).isEqualTo(sharesBits(prefix, ip));
      Prefix other = random(random);
      assertThat(prefix.overlaps(other))
          .isEqualTo(prefix.contains(other.address()) || other.contains(prefix.address()))
          .isEqualTo(other.overlaps(prefix));
    }
  }

  @Test
  void whatAPrefixContainsFollowsItInOrder() {
    Random random = IpTest.seeded();
    for (int i = 0; i < 20_000; i++) {
      Prefix prefix = random(random);
      Prefix other = random(random);
      boolean between =
          prefix.compareTo(other) <= 0 && other.compareTo(Prefix.host(prefix.last())) <= 0;
      assertThat(prefix.contains(other)).isEqualTo(between);
    }
  }

  @Test
  void aDefaultRouteHoldsItsFamilyAlone() {
    assertThat(Prefix.all(Family.V4).contains(Ip.parse("8.8.8.8"))).isTrue();
    assertThat(Prefix.all(Family.V4).contains(Ip.parse("::1"))).isFalse();
    assertThat(Prefix.all(Family.V6)).hasToString("::/0");
    assertThat(Prefix.host(Ip.parse("::1")).isHost()).isTrue();
  }

  @Test
  void anInterfaceAddressKeepsItsHostBits() {
    InterfaceAddress address = InterfaceAddress.parse("192.168.1.11/24");
    assertThat(address).hasToString("192.168.1.11/24");
    assertThat(address.subnet()).hasToString("192.168.1.0/24");
    assertThatThrownBy(() -> InterfaceAddress.parse("192.168.1.11"))
        .hasMessageContaining("'192.168.1.11' is not an address with its subnet's length");
  }

  private static boolean sharesBits(Prefix prefix, Ip ip) {
    if (prefix.family() != ip.family()) {
      return false;
    }
    for (int bit = 0; bit < prefix.length(); bit++) {
      if (prefix.address().bit(bit) != ip.bit(bit)) {
        return false;
      }
    }
    return true;
  }

  private static Prefix random(Random random) {
    Ip ip = IpTest.random(random);
    int bits = ip.family().bits();
    return Prefix.around(ip, random.nextInt(4) == 0 ? bits : random.nextInt(bits + 1));
  }
}
