package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action.Balance;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Serving;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Ports of pods at their node: S20, and portMappings of CNI. */
class HostPortTest {
  private static final Frontend.Key LOCAL_V4 = any(Family.V4, Protocol.TCP, 8080);
  private static final Frontend.Key LOCAL_V6 = any(Family.V6, Protocol.TCP, 8080);

  private final Scene scene = Scene.ofThreeNodes();
  private final ProgramCompiler compiler = scene.compiler("n1");

  @Test
  void aHostPortIsReachedAtAllAddressesOfTheNodeInBothFamilies() {
    play(seen("a", 1, tcp(8080)));
    assertThat(compiler.program().frontends()).containsOnlyKeys(LOCAL_V4, LOCAL_V6);
    RuleId rule = RuleId.of("Pod", "shop/a", "uid-a");
    assertThat(compiler.program().frontends().get(LOCAL_V4))
        .isEqualTo(new Frontend(LOCAL_V4, new Balance(1), MasqueradeClass.KEEP_SOURCE, rule));
    assertThat(endpoints())
        .containsExactly(
            new Endpoint(
                new Endpoint.Key(LOCAL_V4, 0),
                ip("10.244.1.11"),
                80,
                Optional.of(ip("192.168.1.11")),
                rule),
            new Endpoint(
                new Endpoint.Key(LOCAL_V6, 0),
                ip("fd00:1::11"),
                80,
                Optional.of(ip("2001:db8:1::11")),
                rule));
  }

  @Test
  void theSamePortWithAnotherHostIpOrProtocolCoexists_S20() {
    play(
        seen("a", 1, tcp(8080).at(ip("192.168.1.11"))),
        seen("b", 2, tcp(8080).at(ip("127.0.0.1"))),
        seen("c", 3, PortMapping.of(8080, 80, Protocol.UDP)));
    assertThat(compiler.program().frontends().keySet())
        .containsExactlyInAnyOrder(
            new Frontend.Key(new Place.At(ip("192.168.1.11")), Protocol.TCP, 8080),
            new Frontend.Key(new Place.At(ip("127.0.0.1")), Protocol.TCP, 8080),
            any(Family.V4, Protocol.UDP, 8080),
            any(Family.V6, Protocol.UDP, 8080));
    assertThat(conditions()).isEmpty();
  }

  @Test
  void anUnspecifiedHostIpMeansAllAddressesOfItsFamily() {
    play(seen("a", 1, tcp(8080).at(ip("0.0.0.0"))), seen("b", 2, tcp(8080).at(ip("::"))));
    assertThat(compiler.program().frontends()).containsOnlyKeys(LOCAL_V4, LOCAL_V6);
    assertThat(endpoints())
        .extracting(Endpoint::address)
        .containsExactly(ip("10.244.1.11"), ip("fd00:1::12"));
  }

  @Test
  void ofTwoPodsThatWantOnePortTheOlderHasItAndTheOtherIsTold() {
    play(seen("b", 2, tcp(8080)), seen("a", 1, tcp(8080)));
    assertThat(endpoints())
        .extracting(Endpoint::address)
        .containsExactly(ip("10.244.1.11"), ip("fd00:1::11"));
    assertThat(conditions())
        .containsExactly(
            "Pod shop/b spec.containers.ports.hostPort: 8080/tcp at all IPv4 addresses of the node"
                + " belongs to pod shop/a, which keeps it. Give one of the two another hostPort, or"
                + " another node. [duplicate-host-port]",
            "Pod shop/b spec.containers.ports.hostPort: 8080/tcp at all IPv6 addresses of the node"
                + " belongs to pod shop/a, which keeps it. Give one of the two another hostPort, or"
                + " another node. [duplicate-host-port]");
  }

  @Test
  void whenTheHolderGoesTheOtherGetsThePort() {
    play(seen("a", 1, tcp(8080)), seen("b", 2, tcp(8080)));
    compiler.apply(List.of(new ClusterEvent.Detached("container-a/eth0")));
    assertThat(endpoints())
        .extracting(Endpoint::address)
        .containsExactly(ip("10.244.1.12"), ip("fd00:1::12"));
    assertThat(conditions()).isEmpty();
  }

  @Test
  void whoServesAUdpPortIsToldWheneverThatChanges_S15() {
    Serving a4 = serving(Family.V4, "10.244.1.11");
    Serving a6 = serving(Family.V6, "fd00:1::11");
    Serving b4 = serving(Family.V4, "10.244.1.12");
    Serving b6 = serving(Family.V6, "fd00:1::12");
    List<ClusterEvent> first =
        attached(seen("a", 1, PortMapping.of(53, 5353, Protocol.UDP), tcp(8080)));
    List<ClusterEvent> second = attached(seen("b", 2, PortMapping.of(53, 5353, Protocol.UDP)));
    play();

    assertThat(compiler.apply(first).serving()).containsExactly(a4, a6);
    assertThat(compiler.apply(second).serving()).isEmpty();
    assertThat(compiler.apply(List.of(new ClusterEvent.Detached("container-a/eth0"))).serving())
        .containsExactly(b4, b6);
    assertThat(compiler.apply(List.of(new ClusterEvent.Detached("container-b/eth0"))).serving())
        .isEmpty();
    assertThat(compiler.apply(first).serving()).containsExactly(a4, a6);
  }

  private static Serving serving(Family family, String address) {
    return Serving.of(any(family, Protocol.UDP, 53), List.of(new Serving.At(ip(address), 5353)));
  }

  @Test
  void anAddressThatTheNodeDoesNotHaveIsNotTakenFromOthers() {
    play(
        seen(
            "a",
            1,
            PortMapping.of(53, 53, Protocol.UDP).at(ip("8.8.8.8")),
            tcp(8080).at(ip("::1"))));
    assertThat(compiler.program().frontends()).isEmpty();
    assertThat(compiler.apply(List.of()).conditions())
        .extracting(condition -> condition.reason())
        .containsExactly(Reason.HOST_IP_NOT_LOCAL, Reason.HOST_IP_NOT_LOCAL);
  }

  @Test
  void whatTheRuntimeAsksForIsInForceBeforeTheApiShowsThePod() {
    Attachment attachment =
        new Attachment(
                "c1", "eth0", "/run/netns/x", new PodKey("-", "c1"), "", List.of(ip("10.244.1.9")))
            .withPortMappings(List.of(tcp(8080)));
    compiler.apply(
        Stream.concat(scene.events("n1").stream(), Stream.of(new ClusterEvent.Attached(attachment)))
            .toList());
    assertThat(endpoints()).extracting(Endpoint::address).containsExactly(ip("10.244.1.9"));
  }

  @Test
  void aFinishedPodGivesItsPortsBack() {
    play(seen("a", 1, tcp(8080)));
    Pod pod = seen("a", 1, tcp(8080));
    compiler.apply(
        List.of(
            new ClusterEvent.PodSeen(
                new Pod(
                    pod.key(),
                    pod.uid(),
                    pod.created(),
                    pod.node(),
                    false,
                    true,
                    pod.ips(),
                    List.of(),
                    pod.hostPorts()))));
    assertThat(compiler.program().frontends()).isEmpty();
    assertThat(compiler.program().endpoints()).isEmpty();
  }

  @Test
  void aMappingsTextIsReadBack() {
    for (PortMapping mapping :
        List.of(
            tcp(8080),
            tcp(8080).at(ip("192.168.1.11")),
            PortMapping.of(53, 5353, Protocol.UDP).at(ip("2001:db8::1")))) {
      assertThat(PortMapping.parse(mapping.toString())).isEqualTo(mapping);
    }
    assertThat(tcp(8080).at(ip("fd00::1"))).hasToString("[fd00::1]:8080:80/tcp");
  }

  private void play(Pod... pods) {
    compiler.apply(scene.events("n1"));
    for (Pod pod : pods) {
      compiler.apply(attached(pod));
    }
  }

  private static List<ClusterEvent> attached(Pod pod) {
    return List.of(new ClusterEvent.Attached(Scene.attachment(pod)), new ClusterEvent.PodSeen(pod));
  }

  private List<Endpoint> endpoints() {
    return List.copyOf(compiler.program().endpoints().values());
  }

  private List<String> conditions() {
    return compiler.apply(List.of()).conditions().stream().map(Object::toString).toList();
  }

  private static Pod seen(String name, int age, PortMapping... hostPorts) {
    int number = 10 + name.charAt(0) - 'a' + 1;
    return new Pod(
        new PodKey("shop", name),
        "uid-" + name,
        age,
        Optional.of(new NodeName("n1")),
        false,
        false,
        List.of(ip("10.244.1." + number), ip("fd00:1::" + number)),
        List.of(),
        List.of(hostPorts));
  }

  private static PortMapping tcp(int hostPort) {
    return PortMapping.of(hostPort, 80, Protocol.TCP);
  }

  private static Frontend.Key any(Family family, Protocol protocol, int port) {
    return new Frontend.Key(new Place.AnyLocal(family), protocol, port);
  }

  private static Ip ip(String text) {
    return Ip.parse(text);
  }
}
