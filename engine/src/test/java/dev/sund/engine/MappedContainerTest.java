package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.PortsGone;
import dev.sund.engine.cluster.ClusterEvent.PortsSeen;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.MappedContainer.Sources;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Ports of containers whose network another plugin made. */
class MappedContainerTest {
  private final ProgramCompiler compiler =
      new ProgramCompiler(new NodeName("n1"), FabricSettings.DEFAULT);

  @Test
  void aPortOfTheNodeLeadsToTheContainerInBothFamiliesBeforeAnyListOfTheCluster() {
    seen(container("c1", 5, Sources.NEAR, 1_000));
    Endpoint v4 = endpoint(Family.V4);
    assertThat(v4.address()).isEqualTo(Ip.parse("10.1.0.5"));
    assertThat(v4.port()).isEqualTo(80);
    assertThat(v4.rule()).hasToString("Container:c1/eth0::none:0");
    assertThat(endpoint(Family.V6).address()).isEqualTo(Ip.parse("fd00:1::5"));
    assertThat(program().masquerade().keySet())
        .containsExactly(
            new Masquerade.Key(Prefix.parse("10.1.0.0/24"), Masquerade.Part.NEIGHBOURS),
            new Masquerade.Key(Prefix.parse("fd00:1::/64"), Masquerade.Part.NEIGHBOURS));
  }

  @Test
  void theLastWhoAsksHasThePortAndItGoesBackWhenThatOneGoes() {
    seen(container("c9", 5, Sources.NEAR, 1_000));
    seen(container("c1", 6, Sources.NEAR, 2_000));
    assertThat(endpoint(Family.V4).address()).isEqualTo(Ip.parse("10.1.0.6"));
    compiler.apply(List.of(new PortsGone("c1/eth0")));
    assertThat(endpoint(Family.V4).address()).isEqualTo(Ip.parse("10.1.0.5"));
    compiler.apply(List.of(new PortsGone("c9/eth0")));
    assertThat(program().frontends()).isEmpty();
    assertThat(program().endpoints()).isEmpty();
    assertThat(program().masquerade()).isEmpty();
  }

  @Test
  void whoseSourceIsTranslatedIsSaidByTheConfiguration() {
    seen(container("c1", 5, Sources.ALL, 1_000));
    assertThat(frontend(Family.V4).inside().masquerade()).isEqualTo(MasqueradeClass.ALWAYS);
    assertThat(program().masquerade()).isEmpty();
    seen(container("c1", 5, Sources.NONE, 1_000));
    assertThat(frontend(Family.V4).inside().masquerade()).isEqualTo(MasqueradeClass.KEEP_SOURCE);
    assertThat(endpoint(Family.V4).lent()).isEmpty();
    assertThat(program().masquerade()).isEmpty();
  }

  private void seen(MappedContainer container) {
    List<ClusterEvent> events = List.of(new PortsSeen(container));
    compiler.apply(events);
  }

  private PacketProgram program() {
    return compiler.program();
  }

  private Frontend frontend(Family family) {
    return program()
        .frontends()
        .get(new Frontend.Key(new Place.AnyLocal(family), Protocol.TCP, 8080));
  }

  private Endpoint endpoint(Family family) {
    return program().endpoints().get(new Endpoint.Key(frontend(family).key(), 0));
  }

  private static MappedContainer container(String id, int host, Sources sources, long since) {
    return new MappedContainer(
        id + "/eth0",
        "net1",
        List.of(
            place("10.1.0." + host + "/24", "10.1.0.1"),
            place("fd00:1::" + host + "/64", "fd00:1::1")),
        List.of(PortMapping.of(8080, 80, Protocol.TCP)),
        sources,
        since);
  }

  private static MappedContainer.Place place(String address, String gateway) {
    return new MappedContainer.Place(
        InterfaceAddress.parse(address), Optional.of(Ip.parse(gateway)));
  }
}
