package dev.sund.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpTest {
  @ParameterizedTest
  @CsvSource({
    "0.0.0.0,0.0.0.0",
    "255.255.255.255,255.255.255.255",
    "::,::",
    "::1,::1",
    "2001:DB8::0:1,2001:db8::1",
    "2001:db8:0:0:1:0:0:1,2001:db8::1:0:0:1",
    "2001:0:0:1:0:0:0:1,2001:0:0:1::1",
    "1:2:3:4:5:6:7:0,1:2:3:4:5:6:7:0",
    "::ffff:10.0.0.1,::ffff:a00:1",
    "64:ff9b::192.0.2.33,64:ff9b::c000:221",
    "1::,1::",
    "0:1::,0:1::",
  })
  void textsOfRfc5952AreRead(String text, String canonical) {
    assertThat(Ip.parse(text)).hasToString(canonical);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4 ",
        "1.2.3.-4",
        "1..3.4",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "g::",
        "1:",
        ":1:2:3:4:5:6:7",
        "fe80::1%eth0",
        "::1/128",
        "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6:7::8",
        "::١"
      })
  void otherTextsAreRefusedByName(String text) {
    assertThat(Ip.tryParse(text)).isEmpty();
    assertThatThrownBy(() -> Ip.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("'" + text + "' is not an IPv4 or IPv6 address");
  }

  @Test
  void textAndBytesComeBackAndTheJdkAgrees() throws Exception {
    Random random = seeded();
    for (int i = 0; i < 20_000; i++) {
      Ip ip = random(random);
      assertThat(Ip.parse(ip.toString())).isEqualTo(ip);
      assertThat(Ip.of(ip.toBytes())).isEqualTo(ip);
      byte[] theirs = InetAddress.ofLiteral(ip.toString()).getAddress();
      if (theirs.length == ip.family().bytes()) { // the JDK makes mapped addresses IPv4
        assertThat(theirs).isEqualTo(ip.toBytes());
      }
    }
  }

  @Test
  void additionCarriesAndComesBack() {
    assertThat(Ip.parse("10.0.0.255").plus(1)).hasToString("10.0.1.0");
    assertThat(Ip.parse("fd00::ffff:ffff:ffff:ffff").plus(1)).hasToString("fd00:0:0:1::");
    assertThat(Ip.parse("fd00:0:0:1::").plus(-1)).hasToString("fd00::ffff:ffff:ffff:ffff");
    Random random = seeded();
    for (int i = 0; i < 20_000; i++) {
      Ip ip = random(random);
      long offset = random.nextLong();
      assertThat(ip.plus(offset).plus(-offset)).isEqualTo(ip);
    }
  }

  @Test
  void orderIsThatOfBytesAndFamiliesApart() {
    Random random = seeded();
    List<Ip> ips = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      ips.add(random(random));
    }
    ips.sort(null);
    for (int i = 1; i < ips.size(); i++) {
      Ip before = ips.get(i - 1);
      Ip after = ips.get(i);
      assertThat(before.family()).isLessThanOrEqualTo(after.family());
      if (before.family() == after.family()) {
        assertThat(java.util.Arrays.compareUnsigned(before.toBytes(), after.toBytes()))
            .isLessThanOrEqualTo(0);
      }
    }
  }

  @Test
  void bitsAreCountedFromTheFront() {
    Ip ip = Ip.parse("128.0.0.1");
    assertThat(ip.bit(0)).isTrue();
    assertThat(ip.bit(1)).isFalse();
    assertThat(ip.bit(31)).isTrue();
    assertThat(Ip.parse("8000::1").bit(0)).isTrue();
    assertThat(Ip.parse("8000::1").bit(127)).isTrue();
    assertThat(Ip.parse("8000::1").bit(64)).isFalse();
  }

  @Test
  void kindsOfAddressesAreTold() {
    assertThat(Ip.parse("169.254.1.1").isLinkLocal()).isTrue();
    assertThat(Ip.parse("fe80::1").isLinkLocal()).isTrue();
    assertThat(Ip.parse("fec0::1").isLinkLocal()).isFalse();
    assertThat(Ip.parse("127.8.8.8").isLoopback()).isTrue();
    assertThat(Ip.parse("::1").isLoopback()).isTrue();
    assertThat(Ip.parse("224.0.0.1").isMulticast()).isTrue();
    assertThat(Ip.parse("ff02::1").isMulticast()).isTrue();
    assertThat(Ip.any(Family.V6).isUnspecified()).isTrue();
  }

  static Random seeded() {
    long seed = Long.getLong("sund.seed", System.nanoTime());
    System.out.println("seed " + seed + " (-Dsund.seed=" + seed + ")");
    return new Random(seed);
  }

  /** Any address; zero groups are likely, so that every way of shortening comes up. */
  static Ip random(Random random) {
    if (random.nextBoolean()) {
      return Ip.v4(random.nextInt());
    }
    long high = 0;
    long low = 0;
    for (int i = 0; i < 4; i++) {
      high = (high << 16) | (random.nextInt(3) == 0 ? random.nextInt(0x10000) : 0);
      low = (low << 16) | (random.nextInt(3) == 0 ? random.nextInt(0x10000) : 0);
    }
    return Ip.v6(high, low);
  }
}
