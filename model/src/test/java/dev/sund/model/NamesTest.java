package dev.sund.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.model.RuleId.Direction;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
  @Test
  void aMacComesBackFromItsText() {
    Random random = IpTest.seeded();
    for (int i = 0; i < 5_000; i++) {
      Mac mac = new Mac(random.nextLong() >>> 16);
      assertThat(Mac.parse(mac.toString())).isEqualTo(mac);
      assertThat(Mac.of(mac.toBytes())).isEqualTo(mac);
    }
  }

  @Test
  void aDerivedMacIsLocalUnicastAndAlwaysTheSame() {
    for (int i = 0; i < 1_000; i++) {
      Mac mac = Mac.derivedFrom("vxlan/uid/" + i);
      assertThat(mac.toBytes()[0] & 3).isEqualTo(2);
      assertThat(Mac.derivedFrom("vxlan/uid/" + i)).isEqualTo(mac);
    }
  }

  @Test
  void theLinkLocalAddressIsThatOfRfc4291() {
    assertThat(Mac.parse("34:56:78:9a:bc:de").linkLocal()).hasToString("fe80::3656:78ff:fe9a:bcde");
    assertThat(Mac.parse("02:00:00:00:00:01").linkLocal()).hasToString("fe80::ff:fe00:1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "02:00", "02-00-5e-10-00-01", "02:00:5e:10:00:0g", "02005e100001", "::::::"})
  void otherMacsAreRefusedByName(String text) {
    assertThatThrownBy(() -> Mac.parse(text))
        .hasMessage("'" + text + "' is not a MAC address such as 02:00:5e:10:00:01");
  }

  @Test
  void aRuleIdComesBackFromItsText() {
    Random random = IpTest.seeded();
    Direction[] directions = Direction.values();
    for (int i = 0; i < 5_000; i++) {
      RuleId rule =
          new RuleId(
              new ObjectRef(word(random, 1), word(random, 1) + "/" + word(random, 0)),
              word(random, 0),
              directions[random.nextInt(directions.length)],
              random.nextInt(1000));
      assertThat(RuleId.parse(rule.toString())).isEqualTo(rule);
    }
    assertThat(RuleId.builtin("default-pool")).hasToString("Builtin:default-pool::none:0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Node:n1",
        "Node:n1:u:none",
        "Node:n1:u:none:x",
        "Node:n1:u:up:0",
        "::u:none:0",
        "Node::u:none:0",
        "Node:n1:u:none:0:0",
        "Node:n1:u:none:-1",
        "Node:n1:u:none:9999999"
      })
  void otherRuleIdsAreRefusedByName(String text) {
    assertThatThrownBy(() -> RuleId.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("'" + text + "' is not a rule id");
  }

  @Test
  void aRuleIdsPartsHoldNoColon() {
    assertThatThrownBy(() -> RuleId.of("Pod", "a:b", "uid"))
        .hasMessageContaining("hold no colon: Pod a:b uid");
  }

  @Test
  void aPodIsNamedByNamespaceAndName() {
    assertThat(PodKey.parse("shop/web")).isEqualTo(new PodKey("shop", "web"));
    for (String text : new String[] {"", "web", "/web", "shop/", "a/b/c"}) {
      assertThatThrownBy(() -> PodKey.parse(text))
          .hasMessage("'" + text + "' is not a pod as NAMESPACE/NAME");
    }
  }

  @Test
  void aConditionSaysAllOnOneLine() {
    Condition condition =
        new Condition(
            Reason.MTU_TOO_SMALL,
            new ObjectRef("link", "eth0"),
            "mtu",
            "500 is less than 576.",
            "Set 576 or more.");
    assertThat(condition)
        .hasToString("link eth0 mtu: 500 is less than 576. Set 576 or more. [mtu-too-small]");
    assertThat(condition.severity()).isEqualTo(Severity.ERROR);
  }

  @Test
  void podsAndServicesAreOrderedByNamespaceAndThenName() {
    Random random = IpTest.seeded();
    for (int i = 0; i < 5_000; i++) {
      String[] one = {word(random, 1), word(random, 1)};
      String[] other = {random.nextBoolean() ? one[0] : word(random, 1), word(random, 1)};
      int order = one[0].equals(other[0]) ? one[1].compareTo(other[1]) : one[0].compareTo(other[0]);
      PodKey pod = new PodKey(one[0], one[1]);
      assertThat(Integer.signum(pod.compareTo(new PodKey(other[0], other[1]))))
          .isEqualTo(Integer.signum(order));
      assertThat(
              Integer.signum(
                  new ServiceKey(one[0], one[1]).compareTo(new ServiceKey(other[0], other[1]))))
          .isEqualTo(Integer.signum(order));
      assertThat(PodKey.parse(pod.toString())).isEqualTo(pod).hasSameHashCodeAs(pod);
      assertThat(pod.namespace()).isEqualTo(one[0]);
      assertThat(pod.name()).isEqualTo(one[1]);
    }
  }

  @Test
  void theTextOfAPodsNameIsKeptAsItCame() {
    String text = new String("shop/web");
    assertThat(PodKey.parse(text).toString()).isSameAs(text);
    assertThat(new PodKey("a", "b/c")).isNotEqualTo(new PodKey("a/b", "c"));
  }

  @Test
  void aProtocolIsReadInAnyCase() {
    assertThat(Protocol.parse("tCp")).isEqualTo(Protocol.TCP);
    assertThatThrownBy(() -> Protocol.parse("http"))
        .hasMessage("'http' is not a protocol: tcp, udp, sctp or icmp");
  }

  private static String word(Random random, int atLeast) {
    String letters = "abcxyz0189-.";
    StringBuilder word = new StringBuilder();
    int length = atLeast + random.nextInt(12);
    for (int i = 0; i < length; i++) {
      word.append(letters.charAt(random.nextInt(letters.length())));
    }
    return word.toString();
  }
}
