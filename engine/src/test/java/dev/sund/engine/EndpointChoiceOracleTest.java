package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.PacketProgram;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Which endpoints a Service gets, beside the rules S3, S4 and S5 written down anew, in the words of
 * the table and not in those of the compiler.
 */
class EndpointChoiceOracleTest {
  private static final List<String> STATES = List.of("", "", "", " unready", " ending", " dead");
  private static final List<String> HINTS =
      List.of("", " for:east", " for:east", " for:west", " for:east on:n1", " for:west on:n2");

  private record Case(List<String> endpoints, Optional<String> zone) {
    static Case of(Random random) {
      boolean hinted = random.nextBoolean();
      return new Case(
          IntStream.range(0, random.nextInt(6))
              .mapToObj(i ->
                  "10.244.1."
                      + (10 + i)
                      + "@n"
                      + (1 + random.nextInt(2))
                      + STATES.get(random.nextInt(STATES.size()))
                      + HINTS.get(hinted ? 1 + random.nextInt(5) : random.nextInt(HINTS.size())))
              .toList(),
          random.nextInt(4) == 0
              ? Optional.empty()
              : Optional.of(random.nextBoolean() ? "east" : "west"));
    }
  }

  @Test
  void theRulesGiveTheEndpointsOfBothPolicies_S3_S4_S5() {
    Property.forAll(
        3000,
        Case::of,
        given -> {
          PacketProgram program = program(given);
          List<Backend> all = given.endpoints().stream().map(ServiceSketch::backend).toList();
          assertThat(endpoints(program, View.INSIDE))
              .as("of policy Cluster")
              .isEqualTo(addresses(ofCluster(all, given.zone())));
          boolean split =
              program.endpoints().keySet().stream().anyMatch(EndpointChoiceOracleTest::isOutside);
          List<Ip> local = addresses(ofLocal(all));
          if (split) {
            assertThat(endpoints(program, View.OUTSIDE)).as("of policy Local").isEqualTo(local);
          } else if (!local.isEmpty()) {
            assertThat(endpoints(program, View.INSIDE)).as("of both policies").isEqualTo(local);
          }
        });
  }

  private static boolean isOutside(Endpoint.Key key) {
    return key.view() == View.OUTSIDE;
  }

  private static List<Backend> ofCluster(List<Backend> all, Optional<String> zone) {
    List<Backend> ready = filter(all, one -> one.ready() && !one.terminating());
    if (ready.isEmpty()) {
      return filter(all, one -> one.serving() && one.terminating());
    }
    List<Backend> forNode =
        filter(ready, one -> one.forNodes().stream().anyMatch(node -> node.text().equals("n1")));
    if (!forNode.isEmpty() && ready.stream().noneMatch(one -> one.forNodes().isEmpty())) {
      return forNode;
    }
    List<Backend> forZone = filter(ready, one -> zone.filter(one.forZones()::contains).isPresent());
    if (!forZone.isEmpty() && ready.stream().noneMatch(one -> one.forZones().isEmpty())) {
      return forZone;
    }
    return ready;
  }

  private static List<Backend> ofLocal(List<Backend> all) {
    List<Backend> here =
        filter(all, one -> one.node().filter(node -> node.text().equals("n1")).isPresent());
    List<Backend> ready = filter(here, one -> one.ready() && !one.terminating());
    return ready.isEmpty() ? filter(here, one -> one.serving() && one.terminating()) : ready;
  }

  private static List<Backend> filter(List<Backend> all, Predicate<Backend> which) {
    return all.stream().filter(which).toList();
  }

  private static List<Ip> addresses(List<Backend> backends) {
    return List.copyOf(new TreeSet<>(backends.stream().map(Backend::address).toList()));
  }

  private static PacketProgram program(Case given) {
    Scene scene = Scene.ofThreeNodes();
    given.zone().ifPresent(zone -> scene.label("n1", ServiceScope.ZONE, zone));
    return scene
        .service(
            ServiceSketch.service("shop/web", "10.96.0.10")
                .port(80)
                .externalIp("203.0.113.7")
                .externalLocal()
                .endpoints(given.endpoints().toArray(String[]::new)))
        .program("n1");
  }

  private static List<Ip> endpoints(PacketProgram program, View view) {
    List<Ip> found = new ArrayList<>();
    program
        .endpoints()
        .forEach((key, endpoint) -> {
          if (key.frontend().toString().startsWith("203.") && key.view() == view) {
            found.add(endpoint.address());
          }
        });
    return found;
  }
}
