package dev.sund.lab.predict;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.PacketProgram;
import dev.sund.model.NodeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The ways in which chance may fall: of a frontend with several endpoints a tracer follows the
 * first, so each endpoint must once be the first.
 */
public final class Choices {
  private Choices() {}

  /**
   * The same programs once for each number of an endpoint, in which that endpoint of every frontend
   * changes places with the first. The first of them are the programs themselves.
   */
  public static List<Map<NodeName, PacketProgram>> of(Map<NodeName, PacketProgram> programs) {
    int most = 1;
    for (PacketProgram program : programs.values()) {
      for (Frontend frontend : program.frontends().values()) {
        most = Math.max(most, count(frontend.inside().action()));
        most = Math.max(most, count(frontend.outside().action()));
      }
    }
    List<Map<NodeName, PacketProgram>> choices = new ArrayList<>(List.of(programs));
    for (int pick = 1; pick < most; pick++) {
      Map<NodeName, PacketProgram> choice = new TreeMap<>();
      for (var program : programs.entrySet()) {
        choice.put(program.getKey(), first(program.getValue(), pick));
      }
      choices.add(choice);
    }
    return choices;
  }

  private static int count(Action action) {
    return switch (action) {
      case Action.Balance(int endpoints) -> endpoints;
      case Action.Reject() -> 0;
      case Action.Drop() -> 0;
    };
  }

  private static PacketProgram first(PacketProgram program, int pick) {
    SortedMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>(program.endpoints());
    for (Frontend frontend : program.frontends().values()) {
      for (View view : View.values()) {
        int count = count(frontend.answer(view).action());
        Endpoint.Key first = new Endpoint.Key(frontend.key(), view, 0);
        if (count > 1 && endpoints.containsKey(first)) {
          Endpoint.Key other = new Endpoint.Key(frontend.key(), view, pick % count);
          swap(endpoints, first, other);
        }
      }
    }
    return new PacketProgram(
        program.node(),
        program.nodeAddresses(),
        program.facts(),
        program.localPods(),
        program.routes(),
        program.tunnels(),
        program.tunnelPeers(),
        program.masquerade(),
        program.frontends(),
        endpoints,
        program.sourceRanges(),
        program.policy(),
        program.bridgePorts());
  }

  private static void swap(
      SortedMap<Endpoint.Key, Endpoint> endpoints, Endpoint.Key one, Endpoint.Key two) {
    Endpoint atOne = endpoints.get(one);
    Endpoint atTwo = endpoints.get(two);
    if (atOne != null && atTwo != null) {
      endpoints.put(one, at(one, atTwo));
      endpoints.put(two, at(two, atOne));
    }
  }

  private static Endpoint at(Endpoint.Key key, Endpoint endpoint) {
    return new Endpoint(key, endpoint.address(), endpoint.port(), endpoint.lent(), endpoint.rule());
  }
}
