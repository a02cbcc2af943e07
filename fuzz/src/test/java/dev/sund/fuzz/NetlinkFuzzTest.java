package dev.sund.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NetlinkSocket;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.kernel.route.RouteMessages;
import dev.sund.kernel.route.RouteRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

/** Whatever bytes come: an event, nothing, or {@link Malformed}; and never a read outside. */
@Tag("fuzz")
class NetlinkFuzzTest {
  private static final int MAX_DEPTH = 5;

  @FuzzTest(maxDuration = "2m")
  void attributes(byte[] data) throws KernelException {
    try {
      NlReader.messages(
          data,
          data.length,
          (type, flags, body) -> {
            if (type == 2) {
              NetlinkSocket.readAck(body, flags);
            } else {
              walk(body, 0);
            }
          });
    } catch (Malformed _) {
      // the one answer to bytes that are no message
    }
  }

  private static void walk(NlReader reader, int depth) throws Malformed {
    while (reader.next()) {
      check(reader.bytes().length == reader.length(), "a value as long as it says");
      String text = reader.string();
      check(text.indexOf(0) < 0, "a text without zero bytes");
      if (depth < MAX_DEPTH) {
        try {
          walk(reader.nested(), depth + 1);
        } catch (Malformed _) {
          // not every value holds attributes
        }
      }
    }
  }

  /** What was read and can be written is read again as the same. */
  @FuzzTest(maxDuration = "2m")
  void route(byte[] data) throws KernelException {
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
      check(!event.toString().isEmpty(), "an event that can be printed");
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
                    .flatMap(NetlinkFuzzTest::requestThatMakes)
                    .ifPresent(again::add));
        check(again.equals(List.of(request.get())), request.get() + " was read as " + again);
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

  private static void check(boolean holds, String claim) {
    if (!holds) {
      throw new AssertionError(claim);
    }
  }
}
