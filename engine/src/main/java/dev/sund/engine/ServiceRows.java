package dev.sund.engine;

import dev.sund.engine.Answerers.Candidate;
import dev.sund.engine.ServiceIndex.Wish;
import dev.sund.engine.ServiceSummary.Origin;
import dev.sund.engine.ServiceSummary.Use;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.Answer;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.Serving;
import dev.sund.engine.program.SourceRange;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What rows the places of Services have, by the state as it is. Made for one batch of events; what
 * it keeps are answers that several places of one Service share.
 *
 * <pre>
 *                          inside                        outside
 *  cluster address         by internalTrafficPolicy      the same       sources from outside and the node's
 *  other, policy Cluster   all endpoints                 the same       every source is translated
 *  other, policy Local     all endpoints                 this node's    the node's own are translated
 * </pre>
 */
final class ServiceRows {
  private static final Answer REFUSED =
      new Answer(new Action.Reject(), MasqueradeClass.KEEP_SOURCE);
  private static final Answer DROPPED = new Answer(new Action.Drop(), MasqueradeClass.KEEP_SOURCE);
  private static final Duration LONGEST_AFFINITY = Duration.ofDays(1);

  private final ServiceIndex index;
  private final Map<PortOf, Answerers> asked = new HashMap<>();

  private record PortOf(Service service, int port, Family family) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof PortOf of
          && port == of.port
          && family == of.family
          && service.key().equals(of.service.key());
    }

    @Override
    public int hashCode() {
      return 31 * (31 * service.key().hashCode() + port) + family.ordinal();
    }
  }

  ServiceRows(ServiceIndex index) {
    this.index = index;
  }

  /** The rows of a place that a Service has; empty when none asks for it. */
  Optional<Answered> at(Frontend.Key key) {
    Optional<Wish> wish = index.holder(key);
    return wish.isEmpty()
        ? Optional.empty()
        : index.service(wish.get().service()).map(service -> rows(wish.get(), service));
  }

  /** Who answers for one port of a Service in a family. */
  Answerers answerers(Service service, int port, Family family) {
    return index.wishes(service.key()).size() < 2 // and so nobody else asks
        ? found(service, port, family)
        : asked.computeIfAbsent(
            new PortOf(service, port, family), _ -> found(service, port, family));
  }

  private Answerers found(Service service, int port, Family family) {
    return Answerers.of(
        service, service.ports().get(port), family, index.slices(service.key()), index.scope());
  }

  private Answered rows(Wish wish, Service service) {
    Frontend.Key key = wish.key();
    Family family = key.place().family();
    Answerers answerers = answerers(service, wish.port(), family);
    Views views =
        wish.origin() == Origin.CLUSTER_IP
            ? ofClusterIp(service, answerers)
            : ofOthers(service, answerers);
    List<SourceRange> sources =
        wish.origin() == Origin.LOAD_BALANCER_IP ? sources(service, key) : List.of();
    Frontend frontend =
        new Frontend(
            key,
            views.inside(),
            views.outside(),
            !sources.isEmpty(),
            !(key.place() instanceof Place.AnyLocal),
            service.affinity().map(ServiceRows::affinity),
            service.choice().orElse(index.scope().settings().choice()),
            rule(service));
    List<Endpoint> endpoints = new ArrayList<>(views.toInside().size() + views.toOutside().size());
    add(endpoints, key, View.INSIDE, views.toInside());
    add(endpoints, key, View.OUTSIDE, views.toOutside());
    return new Answered(frontend, endpoints, sources, serving(key, answerers));
  }

  /** S15: who serves keeps its connections, whoever gets the new ones. */
  private static Optional<Serving> serving(Frontend.Key key, Answerers answerers) {
    if (key.protocol() != Protocol.UDP) {
      return Optional.empty();
    }
    List<Serving.At> found = new ArrayList<>();
    for (Candidate one : answerers.all()) {
      if (one.backend().serving() || one.cluster() == Use.USED) {
        found.add(new Serving.At(one.address(), one.port()));
      }
    }
    return Serving.at(key, found);
  }

  /** Both answers, with the endpoints behind each; none outside where that is the same. */
  private record Views(
      Answer inside, List<Candidate> toInside, Answer outside, List<Candidate> toOutside) {
    static Views same(Answer answer, List<Candidate> to) {
      return new Views(answer, to, answer, List.of());
    }
  }

  /** S1, S2, S7, S8. */
  private Views ofClusterIp(Service service, Answerers answerers) {
    List<Candidate> to = service.internalLocal() ? answerers.local() : answerers.cluster();
    MasqueradeClass masquerade =
        index.scope().settings().masqueradeAll()
            ? MasqueradeClass.ALWAYS
            : MasqueradeClass.FROM_OUTSIDE;
    return Views.same(answer(to, masquerade, answerers), to);
  }

  /** S1, S2, S6, S7. */
  private static Views ofOthers(Service service, Answerers answerers) {
    List<Candidate> cluster = answerers.cluster();
    if (!service.externalLocal()) {
      return Views.same(answer(cluster, MasqueradeClass.ALWAYS, answerers), cluster);
    }
    List<Candidate> local = answerers.local();
    Answer inside = answer(cluster, MasqueradeClass.FROM_NODE, answerers);
    if (local.equals(cluster)) {
      // From outside comes nothing that was born on the node: one class serves both.
      return Views.same(inside, cluster);
    }
    return new Views(inside, cluster, answer(local, MasqueradeClass.KEEP_SOURCE, answerers), local);
  }

  private static Answer answer(
      List<Candidate> to, MasqueradeClass masquerade, Answerers answerers) {
    if (to.isEmpty()) {
      return answerers.any() ? DROPPED : REFUSED;
    }
    return to.size() < USUAL.length
        ? USUAL[to.size()][masquerade.ordinal()]
        : new Answer(new Action.Balance(to.size()), masquerade);
  }

  /** The answers that nearly all Services have, by the number of endpoints and the class. */
  private static final Answer[][] USUAL = usual(64);

  private static Answer[][] usual(int most) {
    MasqueradeClass[] classes = MasqueradeClass.values();
    Answer[][] usual = new Answer[most][classes.length];
    for (int endpoints = 1; endpoints < most; endpoints++) {
      for (MasqueradeClass masquerade : classes) {
        usual[endpoints][masquerade.ordinal()] =
            new Answer(new Action.Balance(endpoints), masquerade);
      }
    }
    return usual;
  }

  /**
   * S13. A balancer may put its address on the node itself, whose own packets to it then come from
   * it: where the node may ask, the address may.
   */
  private List<SourceRange> sources(Service service, Frontend.Key key) {
    Family family = key.place().family();
    TreeSet<Prefix> ranges = new TreeSet<>();
    for (Prefix range : service.sourceRanges()) {
      if (range.family() == family) {
        ranges.add(range);
        if (key.place() instanceof Place.At(var ip)
            && index.scope().addresses().stream().anyMatch(range::contains)) {
          ranges.add(Prefix.host(ip));
        }
      }
    }
    RuleId rule = rule(service);
    return ranges.stream()
        .map(range -> new SourceRange(new SourceRange.Key(key, range), rule))
        .toList();
  }

  private void add(List<Endpoint> rows, Frontend.Key key, View view, List<Candidate> to) {
    Optional<Ip> lent = Optional.ofNullable(index.scope().lent().get(key.place().family()));
    for (int slot = 0; slot < to.size(); slot++) {
      Candidate one = to.get(slot);
      // Nobody says where an endpoint without a node is: it may be here.
      boolean here = one.here() || one.backend().node().isEmpty();
      rows.add(
          new Endpoint(
              new Endpoint.Key(key, view, slot),
              one.address(),
              one.port(),
              here ? lent : Optional.empty(),
              rule(one)));
    }
  }

  /** Of its pod where its slice names one: a pod's endpoints in several Services are its own. */
  private static RuleId rule(Candidate endpoint) {
    Optional<PodKey> pod = endpoint.backend().pod();
    return pod.isPresent()
        ? RuleId.of("Pod", pod.get().toString(), "")
        : RuleId.of("EndpointSlice", endpoint.slice().name(), endpoint.slice().uid());
  }

  static RuleId rule(Service service) {
    return RuleId.of("Service", service.key().toString(), service.uid());
  }

  /** As near to what was asked as the program can say. */
  static Duration affinity(Duration asked) {
    return asked.compareTo(LONGEST_AFFINITY) > 0
        ? LONGEST_AFFINITY
        : asked.compareTo(Duration.ofSeconds(1)) < 0 ? Duration.ofSeconds(1) : asked;
  }
}
