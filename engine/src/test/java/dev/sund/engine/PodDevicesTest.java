package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Attachment;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.PodKey;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PodDevicesTest {
  private static final String UID = "6e2f1a52-7c1d-4c8e-9b3e-0d6a1f1b2c3d";

  @Test
  void aDeviceIsNamedByThePodAndItsInterface() {
    // printf %s "$UID/eth0" | sha256sum | cut -c1-11
    assertThat(PodDevices.device(UID, "eth0")).isEqualTo("sund53959700c0b").hasSize(15);
    assertThat(PodDevices.device(UID, "net1")).isNotEqualTo(PodDevices.device(UID, "eth0"));
    assertThat(PodDevices.mac(UID, "eth0")).isEqualTo(Mac.derivedFrom(UID + "/eth0"));
  }

  @Test
  void anAttachmentWithoutUidIsKnownByItsContainer() {
    Attachment attachment =
        new Attachment(
            "c0ffee",
            "eth0",
            "/run/netns/x",
            new PodKey("shop", "web"),
            "",
            List.of(Ip.parse("10.244.1.5")));
    assertThat(PodDevices.device(attachment)).isEqualTo(PodDevices.device("c0ffee", "eth0"));
    assertThat(PodDevices.rule(attachment)).hasToString("Pod:shop/web:c0ffee:none:0");
  }

  @Test
  void anAliasHoldsTheRule() {
    RuleId rule = RuleId.of("Pod", "shop/web", UID);
    assertThat(PodDevices.alias(rule)).isEqualTo("sund Pod:shop/web:" + UID + ":none:0");
  }

  @Test
  void namesOfManyPodsDiffer() {
    Property.forAll(
        1,
        random -> random,
        random ->
            assertThat(
                    java.util.stream.Stream.generate(
                            () -> new UUID(random.nextLong(), random.nextLong()).toString())
                        .limit(20_000)
                        .map(uid -> PodDevices.device(uid, "eth0")))
                .doesNotHaveDuplicates());
  }
}
