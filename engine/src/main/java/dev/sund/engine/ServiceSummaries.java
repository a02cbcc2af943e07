package dev.sund.engine;

import dev.sund.engine.Answerers.Candidate;
import dev.sund.engine.ServiceIndex.Wish;
import dev.sund.engine.ServiceSummary.ServiceEndpoint;
import dev.sund.engine.ServiceSummary.ServicePlace;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What is told of single Services when somebody asks, by the decisions that their rows follow. */
final class ServiceSummaries {
  private final ServiceIndex index;
  private final FrontendRows frontends;
  private final ServiceRows rows;

  ServiceSummaries(ServiceIndex index, FrontendRows frontends, ServiceRows rows) {
    this.index = index;
    this.frontends = frontends;
    this.rows = rows;
  }

  /** All of one Service. */
  ServiceSummary of(Service service, List<Condition> conditions) {
    List<ServiceEndpoint> endpoints = new ArrayList<>();
    for (int port = 0; port < service.ports().size(); port++) {
      for (Family family : Family.values()) {
        for (Candidate one : rows.answerers(service, port, family).all()) {
          endpoints.add(endpoint(service.ports().get(port), one));
        }
      }
    }
    return new ServiceSummary(
        service,
        index.wishes(service.key()).stream().map(wish -> place(service, wish)).toList(),
        endpoints,
        localReady(endpoints),
        conditions);
  }

  private static ServiceEndpoint endpoint(ServicePort port, Candidate one) {
    return new ServiceEndpoint(
        port.name(),
        port.protocol(),
        one.address(),
        one.port(),
        one.backend().node(),
        one.backend().zone(),
        one.backend().pod(),
        one.here(),
        one.backend().ready(),
        one.backend().serving(),
        one.backend().terminating(),
        one.cluster(),
        one.local());
  }

  private ServicePlace place(Service service, Wish wish) {
    Optional<String> instead = instead(wish);
    return new ServicePlace(
        wish.key(),
        wish.origin(),
        service.ports().get(wish.port()).name(),
        instead.isPresent() ? Optional.empty() : frontends.at(wish.key()).map(Answered::frontend),
        instead);
  }

  /** Who has the place that a Service asks for; empty when it has it itself. */
  Optional<String> instead(Wish wish) {
    return frontends
        .grantedTo(wish.key())
        .or(() ->
            index
                .holder(wish.key())
                .filter(holder -> !holder.service().equals(wish.service()))
                .map(holder -> "Service " + holder.service()));
  }

  private static int localReady(List<ServiceEndpoint> endpoints) {
    Set<Ip> addresses = new HashSet<>();
    for (ServiceEndpoint one : endpoints) {
      if (one.here() && isReady(one)) {
        addresses.add(one.address());
      }
    }
    return addresses.size();
  }

  /** Whether it is taken as ready: all other uses of policy Local mean that it is. */
  private static boolean isReady(ServiceEndpoint one) {
    return switch (one.cluster()) {
      case USED -> !one.terminating() || one.ready();
      case OTHER_NODE, OTHER_ZONE, NOT_LOCAL, TOO_MANY -> true;
      case TERMINATING, NOT_READY -> false;
    };
  }
}
