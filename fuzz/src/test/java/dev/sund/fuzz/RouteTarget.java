package dev.sund.fuzz;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.kernel.route.RouteMessages;
import dev.sund.kernel.route.RouteRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** rtnetlink's messages: an event, nothing, or {@link Malformed}; written again it is the same. */
public final class RouteTarget {
  private RouteTarget() {}

  /** Decodes each message, and writes and decodes again what can be written. */
  public static void fuzzerTestOneInput(byte[] data) throws KernelException {
    List<RouteEvent> events = new ArrayList<>();
    try {
      NlReader.messages(
          data,
          data.length,
          (type, flags, body) -> RouteMessages.decode(type, flags, body).ifPresent(events::add));
    } catch (Malformed _) {
      // what came before it counts
    }
    for (RouteEvent event : events) {
      Claim.check(!event.toString().isEmpty(), "an event that can be printed");
      Optional<RouteRequest> request = requestThatMakes(event);
      if (request.isPresent()) {
        NlWriter writer = new NlWriter();
        request.get().write(writer);
        List<RouteRequest> again = new ArrayList<>();
        NlReader.messages(
            writer.toBytes(),
            writer.size(),
            (type, flags, body) ->
                RouteMessages.decode(type, flags, body)
                    .flatMap(RouteTarget::requestThatMakes)
                    .ifPresent(again::add));
        Claim.check(again.equals(List.of(request.get())), request.get() + " was read as " + again);
      }
    }
  }

  private static Optional<RouteRequest> requestThatMakes(RouteEvent event) {
    return switch (event) {
      case RouteEvent.RouteChanged(var route, _)
          when route.other().isEmpty() && route.nextHops().isEmpty() ->
          Optional.of(new RouteRequest.PutRoute(route.withoutState()));
      case RouteEvent.NeighbourChanged(var neighbour) ->
          Optional.of(new RouteRequest.PutNeighbour(neighbour));
      case RouteEvent.FdbChanged(var entry) when entry.other().isEmpty() ->
          Optional.of(new RouteRequest.PutFdb(entry));
      case RouteEvent.RouteChanged _,
          RouteEvent.FdbChanged _,
          RouteEvent.RouteGone _,
          RouteEvent.NeighbourGone _,
          RouteEvent.FdbGone _,
          RouteEvent.LinkChanged _,
          RouteEvent.LinkGone _,
          RouteEvent.AddressChanged _,
          RouteEvent.AddressGone _,
          RouteEvent.RuleChanged _,
          RouteEvent.RuleGone _,
          RouteEvent.Resync _ ->
          Optional.empty();
    };
  }
}
