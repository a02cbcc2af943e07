package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.AgentMetrics;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.PodDevices;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.Attached;
import dev.sund.engine.cluster.ClusterEvent.Detached;
import dev.sund.engine.cluster.ClusterEvent.FactsSeen;
import dev.sund.engine.cluster.ClusterEvent.NodeGone;
import dev.sund.engine.cluster.ClusterEvent.NodeSeen;
import dev.sund.engine.cluster.ClusterEvent.Synced;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EngineStepTest {
  private static final NodeName N1 = new NodeName("n1");
  private static final ClusterEvent NODE =
      new NodeSeen(
          new Node(
              N1,
              "uid-n1",
              1,
              List.of(Ip.parse("192.168.1.11")),
              List.of(Prefix.parse("10.1.1.0/24"))));
  private static final ClusterEvent FACTS =
      new FactsSeen(
          new NodeFacts(
              List.of(
                  new NodeFacts.Device(
                      "eth0", 1500, true, List.of(InterfaceAddress.parse("192.168.1.11/24")))),
              List.of()));

  private final AgentMetrics metrics = new AgentMetrics();
  private final EngineStep step =
      new EngineStep(new ProgramCompiler(N1, FabricSettings.DEFAULT), metrics, () -> 0L);

  @Test
  void theKernelIsHeldUntilTheClusterHasBeenHeard() {
    assertThat(step.compile(List.of(NODE, FACTS)).orElseThrow().hold()).isPresent();
    assertThat(step.compile(List.of(new Synced())).orElseThrow().hold()).isEmpty();
  }

  @Test
  void theKernelIsHeldWhileTheClusterDoesNotKnowTheNode() {
    step.compile(List.of(NODE, FACTS, new Synced()));
    assertThat(step.compile(List.of(new NodeGone(N1))).orElseThrow().hold())
        .hasValueSatisfying(why -> assertThat(why).contains("n1"));
    assertThat(step.compile(List.of(NODE)).orElseThrow().hold()).isEmpty();
  }

  @Test
  void whatChangesNothingIsNotHandedOver() {
    step.compile(List.of(NODE, FACTS, new Synced()));
    assertThat(step.compile(List.of(NODE))).isEmpty();
    assertThat(step.compile(List.of())).isEmpty();
  }

  @Test
  void anAttachedPodComesWithItsRowAndGoesWithIt() {
    step.compile(List.of(NODE, FACTS, new Synced()));
    Attachment web = attachment("web", "10.1.1.5");
    Handover handover = step.compile(List.of(new Attached(web))).orElseThrow();
    assertThat(handover.attached())
        .singleElement()
        .satisfies(pod -> assertThat(pod.wanted()).isPresent());
    assertThat(metrics.programEntries.labelValues("localPods").get()).isEqualTo(1);
    Handover gone = step.compile(List.of(new Detached(web.key()))).orElseThrow();
    assertThat(metrics.programEntries.labelValues("localPods").get()).isZero();
    assertThat(gone.detached())
        .containsExactly(new Handover.Going(web.key(), handover.attached().getFirst().wanted()));
    assertThat(step.compile(List.of(new Detached("never/eth0"))).orElseThrow().detached())
        .containsExactly(new Handover.Going("never/eth0", Optional.empty()));
  }

  @Test
  void aPodWhoseAddressIsTakenIsRefusedWithTheReason() {
    Attachment first = attachment("web", "10.1.1.5");
    Attachment second = attachment("zed", "10.1.1.5");
    step.compile(List.of(NODE, FACTS, new Synced(), new Attached(first)));
    Handover handover = step.compile(List.of(new Attached(second))).orElseThrow();
    List<Handover.Coming> refused =
        handover.attached().stream().filter(pod -> pod.wanted().isEmpty()).toList();
    assertThat(refused)
        .singleElement()
        .satisfies(pod -> {
          assertThat(pod.device()).isEqualTo(PodDevices.device(second));
          assertThat(pod.refusals()).isNotEmpty();
        });
  }

  @Test
  void portsThatLeadToPodsAreCounted() {
    step.compile(List.of(NODE, FACTS, new Synced()));
    assertThat(metrics.portMappings.labelValues("Pod").get()).isZero();
    Attachment web = attachment("web", "10.1.1.5");
    Attachment mapped =
        new Attachment(
            web.containerId(),
            web.interfaceName(),
            web.netns(),
            web.pod(),
            web.uid(),
            web.addresses(),
            List.of(
                new PortMapping(Optional.empty(), 8080, 80, Protocol.TCP),
                new PortMapping(Optional.empty(), 8080, 80, Protocol.UDP)),
            web.mac(),
            web.network());
    step.compile(List.of(new Attached(mapped)));
    assertThat(metrics.portMappings.labelValues("Pod").get()).isEqualTo(2);
    step.compile(List.of(new Detached(mapped.key())));
    assertThat(metrics.portMappings.labelValues("Pod").get()).isZero();
  }

  private static Attachment attachment(String name, String ip) {
    return new Attachment(
        "c-" + name,
        "eth0",
        "/run/netns/" + name,
        new PodKey("shop", name),
        "uid-" + name,
        List.of(Ip.parse(ip)));
  }
}
