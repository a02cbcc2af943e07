package dev.sund.agent.drops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.engine.DropStory;
import dev.sund.engine.DropStory.Kind;
import dev.sund.engine.DropStory.Party;
import dev.sund.engine.DroppedPacket;
import dev.sund.model.Ip;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The last packets are kept, so many and no more, and whoever waits hears of the next. */
class DropRingTest {
  private final DropRing ring = new DropRing(3);

  @Test
  void theLastAreKeptAndNumbered() throws Exception {
    ring.add(Collections.nCopies(2, event()));
    ring.add(Collections.nCopies(3, event()));
    assertThat(ring.after(0, Duration.ZERO))
        .extracting(DropEvent::number)
        .containsExactly(3L, 4L, 5L);
    assertThat(ring.after(4, Duration.ZERO)).extracting(DropEvent::number).containsExactly(5L);
    assertThat(ring.after(5, Duration.ofMillis(1))).isEmpty();
    assertThat(ring.last()).isEqualTo(5);
  }

  @Test
  void whoWaitsHearsOfTheNext() throws Exception {
    Thread adding = Thread.ofPlatform().start(() -> ring.add(List.of(event())));
    assertThat(ring.after(0, Duration.ofSeconds(60))).hasSize(1);
    adding.join();
  }

  @Test
  void anEventIsToldWithAllThatIsKnownOfIt() {
    assertThat(Json.write(event().fields()))
        .isEqualTo(
            "{\"number\":0,\"time\":\"2026-11-22T04:12:03.120Z\",\"direction\":\"out\","
                + "\"reason\":\"cluster-policy-egress\","
                + "\"pod\":{\"kind\":\"pod\",\"name\":\"shop/web\",\"address\":\"10.244.1.5\"},"
                + "\"peer\":{\"kind\":\"pod\",\"name\":\"shop/db-0\",\"address\":\"10.244.2.5\"},"
                + "\"asked\":{\"kind\":\"service\",\"name\":\"shop/db\",\"address\":\"10.96.0.12\","
                + "\"port\":5432},\"protocol\":\"tcp\",\"source\":\"10.244.1.5\",\"sourcePort\":40000,"
                + "\"destination\":\"10.244.2.5\",\"port\":15432,\"bytes\":60,\"device\":\"sund12\","
                + "\"policies\":[\"NetworkPolicy shop/deny-all\"],"
                + "\"rule\":\"ClusterNetworkPolicy no-db egress rule 1\"}");
  }

  private static DropEvent event() {
    Ip web = Ip.parse("10.244.1.5");
    Ip database = Ip.parse("10.244.2.5");
    Ip service = Ip.parse("10.96.0.12");
    return new DropEvent(
        0,
        Instant.parse("2026-11-22T04:12:03.120Z"),
        new DroppedPacket(
            Direction.EGRESS,
            Optional.empty(),
            "sund12",
            web,
            database,
            6,
            15432,
            Optional.of(new DroppedPacket.Asked(service, 5432))),
        40000,
        60,
        new DropStory(
            new Party(Kind.POD, "shop/web", web),
            new Party(Kind.POD, "shop/db-0", database),
            Optional.of(new Party(Kind.SERVICE, "shop/db", service)),
            Optional.of(Reason.CLUSTER_POLICY_EGRESS),
            Optional.of(
                new RuleId(
                    RuleId.of("ClusterNetworkPolicy", "no-db", "u").object(),
                    "u",
                    Direction.EGRESS,
                    1)),
            List.of(RuleId.of("NetworkPolicy", "shop/deny-all", "u"))));
  }
}
