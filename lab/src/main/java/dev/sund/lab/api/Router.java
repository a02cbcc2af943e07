package dev.sund.lab.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;

/** Finds out what a request is about, asks RBAC, and has it answered. */
final class Router {
  private static final Set<String> HEALTH = Set.of("/healthz", "/readyz", "/livez");

  private final Store store;
  private final Lists lists;
  private final Watches watches;
  private final Tables tables;
  private final Definitions definitions;
  private final Map<String, LongAdder> requests = new ConcurrentHashMap<>();

  Router(Store store, Lists lists, Watches watches, Tables tables, Definitions definitions) {
    this.store = store;
    this.lists = lists;
    this.watches = watches;
    this.tables = tables;
    this.definitions = definitions;
  }

  /** What a path names; the empty string where it names nothing. */
  private record Target(Resource resource, String namespace, String name, String subresource) {
    String key() {
      return namespace.isEmpty() ? name : namespace + "/" + name;
    }

    boolean isStatus() {
      return subresource.equals("status");
    }

    String rbacResource() {
      return subresource.isEmpty() ? resource.plural() : resource.plural() + "/" + subresource;
    }
  }

  void answer(
      Request request, Response response, Subject caller, Optional<Rbac> rbac, BooleanSupplier open)
      throws StatusException, IOException, InterruptedException {
    if (HEALTH.contains(request.path())) {
      response.whole(200, "text/plain", "ok".getBytes(StandardCharsets.UTF_8));
      return;
    }
    Optional<Tree> discovery = Discovery.document(request.path(), definitions.served());
    if (discovery.isPresent()) {
      response.whole(200, discovery.get());
      return;
    }
    Target target = target(request.path(), definitions.served());
    boolean watch = request.isTrue("watch");
    String verb = verb(request, target, watch);
    permit(caller, rbac, target, verb, named(request, target));
    requests.computeIfAbsent(verb + target.resource, _ -> new LongAdder()).increment();
    switch (verb) {
      case "get" -> {
        Stored object =
            store
                .get(target.resource, target.key())
                .orElseThrow(() -> StatusException.notFound(target.resource, target.name));
        response.whole(200, "application/json", shown(request, target, object));
      }
      case "list" -> {
        byte[] list = lists.list(target.resource, selector(request, target), request);
        response.whole(200, "application/json", list);
      }
      case "watch" ->
          watches.serve(target.resource, selector(request, target), request, response, open);
      case "create" -> {
        Stored made = store.create(target.resource, admitted(target, body(request, target)));
        defined(target.resource, made.tree());
        response.whole(201, "application/json", made.json());
      }
      case "update" -> {
        Tree.Mapping sent = admitted(target, body(request, target));
        Stored changed = store.replace(target.resource, sent, target.isStatus());
        defined(target.resource, changed.tree());
        response.whole(200, "application/json", changed.json());
      }
      case "patch" -> {
        String type = request.headers().getOrDefault("content-type", "");
        Patches.Change patch = Patches.parse(type, request.body());
        Stored changed =
            store.change(
                target.resource,
                target.key(),
                object -> admitted(target, patch.apply(object)),
                target.isStatus());
        defined(target.resource, changed.tree());
        response.whole(200, "application/json", changed.json());
      }
      case "delete" -> {
        Stored last = delete(target.resource, target.key(), request);
        response.whole(200, "application/json", last.json());
      }
      case "deletecollection" -> {
        Selector selector = selector(request, target);
        for (Stored object : store.list(target.resource).objects()) {
          if (selector.matches().test(object)) {
            delete(target.resource, object.key(), request);
          }
        }
        response.whole(200, Json.object("kind", "Status", "apiVersion", "v1", "status", "Success"));
      }
      default -> throw notAllowed(request);
    }
  }

  private byte[] shown(Request request, Target target, Stored object) {
    return Tables.wanted(request)
        .map(table ->
            tables.table(
                table,
                target.resource,
                List.of(object),
                Json.object("resourceVersion", String.valueOf(object.version())),
                request))
        .orElse(object.json());
  }

  private Tree.Mapping admitted(Target target, Tree.Mapping object) throws StatusException {
    if (target.resource.equals(Resource.DEFINITIONS)) {
      try {
        new Definitions().define(object);
      } catch (IllegalArgumentException e) {
        throw new StatusException(422, "Invalid", String.valueOf(e.getMessage()));
      }
    }
    return definitions.admitted(target.resource, object);
  }

  /**
   * A definition that was stored defines from now on; its status says so, as people wait for it.
   */
  void defined(Resource resource, Tree.Mapping object) {
    if (!resource.equals(Resource.DEFINITIONS)) {
      return;
    }
    definitions.define(object);
    Tree conditions =
        Json.list(
            List.of(
                Json.object("type", "NamesAccepted", "status", "True"),
                Json.object("type", "Established", "status", "True")));
    Tree names = Json.child(Json.child(object, "spec"), "names");
    store.put(
        resource,
        object.with("status", Json.object("conditions", conditions, "acceptedNames", names)));
  }

  private Stored delete(Resource resource, String key, Request request) throws StatusException {
    Tree.Mapping options = Tree.Mapping.of(Map.of());
    try {
      if (!request.body().isBlank()
          && JsonTrees.parse(request.body()) instanceof Tree.Mapping sent) {
        options = Json.child(sent, "preconditions");
      }
    } catch (MalformedException e) {
      throw StatusException.badRequest("the body is not JSON: " + e.getMessage());
    }
    Stored last = store.delete(resource, key, options.text("resourceVersion"), options.text("uid"));
    if (resource.equals(Resource.DEFINITIONS)) {
      for (Resource gone : definitions.undefine(last.tree())) {
        for (Stored object : store.list(gone).objects()) {
          store.delete(gone, object.key());
        }
      }
    }
    return last;
  }

  long requestsOf(String verb, Resource resource) {
    LongAdder count = requests.get(verb + resource);
    return count == null ? 0 : count.sum();
  }

  private static Target target(String path, Collection<Resource> served) throws StatusException {
    for (Resource resource : served) {
      String root = resource.root() + "/";
      if (!path.startsWith(root)) {
        continue;
      }
      List<String> rest = Arrays.asList(path.substring(root.length()).split("/", -1));
      boolean scoped =
          resource.namespaced() && rest.size() >= 3 && rest.getFirst().equals("namespaces");
      String namespace = scoped ? rest.get(1) : "";
      List<String> own = scoped ? rest.subList(2, rest.size()) : rest;
      boolean named = own.size() == 2 || (own.size() == 3 && own.get(2).equals("status"));
      if (own.getFirst().equals(resource.plural()) && (own.size() == 1 || named)) {
        String subresource = own.size() == 3 ? own.get(2) : "";
        return new Target(resource, namespace, named ? own.get(1) : "", subresource);
      }
    }
    throw new StatusException(404, "NotFound", "the server could not find the requested resource");
  }

  private static String verb(Request request, Target target, boolean watch) throws StatusException {
    boolean named = !target.name.isEmpty();
    return switch (request.method()) {
      case "GET" -> named ? "get" : watch ? "watch" : "list";
      case "POST" -> {
        if (named) {
          throw notAllowed(request);
        }
        yield "create";
      }
      case "PUT" -> {
        if (!named) {
          throw notAllowed(request);
        }
        yield "update";
      }
      case "PATCH" -> {
        if (!named) {
          throw notAllowed(request);
        }
        yield "patch";
      }
      case "DELETE" -> named ? "delete" : "deletecollection";
      default -> throw notAllowed(request);
    };
  }

  /** A list or watch of one name counts as a request for the object of that name. */
  private static String named(Request request, Target target) {
    String fields = request.query().getOrDefault("fieldSelector", "");
    return target.name.isEmpty() && fields.matches("metadata\\.name==?[^,]+")
        ? fields.substring(fields.lastIndexOf('=') + 1)
        : target.name;
  }

  private static void permit(
      Subject caller, Optional<Rbac> rbac, Target target, String verb, String name)
      throws StatusException {
    Rbac.Attempt attempt =
        new Rbac.Attempt(
            verb, target.resource.group(), target.rbacResource(), target.namespace, name);
    if (rbac.isPresent() && !rbac.get().allows(caller, attempt)) {
      String what = target.rbacResource();
      String group = target.resource.group();
      throw new StatusException(
          403,
          "Forbidden",
          (group.isEmpty() ? what : what + "." + group)
              + (target.name.isEmpty() ? "" : " \"" + target.name + "\"")
              + " is forbidden: User \""
              + caller.name()
              + "\" cannot "
              + verb
              + " resource \""
              + what
              + "\" in API group \""
              + group
              + "\" "
              + (target.namespace.isEmpty()
                  ? "at the cluster scope"
                  : "in the namespace \"" + target.namespace + "\""));
    }
  }

  private static Selector selector(Request request, Target target) throws StatusException {
    return Selector.of(
        target.namespace, request.parameter("labelSelector"), request.parameter("fieldSelector"));
  }

  private Tree.Mapping body(Request request, Target target) throws StatusException {
    Tree tree;
    try {
      tree = JsonTrees.parse(request.body());
    } catch (MalformedException e) {
      throw StatusException.badRequest("the body is not JSON: " + e.getMessage());
    }
    if (!(tree instanceof Tree.Mapping object)) {
      throw StatusException.badRequest("the body is not an object");
    }
    Resource resource = target.resource;
    boolean sameKind =
        object.text("kind").orElse(resource.kind()).equals(resource.kind())
            && object
                .text("apiVersion")
                .orElse(resource.apiVersion())
                .equals(resource.apiVersion());
    if (!sameKind) {
      throw StatusException.badRequest(
          "the object is no " + resource.apiVersion() + " " + resource.kind());
    }
    Tree.Mapping metadata =
        named(Json.child(object, "metadata"))
            .orElseThrow(() -> StatusException.badRequest("metadata.name is required"));
    String name = metadata.text("name").orElse("");
    if (!target.name.isEmpty() && !target.name.equals(name)) {
      throw StatusException.badRequest(
          "the name of the object ("
              + name
              + ") does not match the name on the URL ("
              + target.name
              + ")");
    }
    if (resource.namespaced()) {
      String namespace = metadata.text("namespace").orElse(target.namespace);
      if (target.namespace.isEmpty() || !namespace.equals(target.namespace)) {
        throw StatusException.badRequest(
            "the namespace of the object does not match the namespace on the request");
      }
      metadata = metadata.with("namespace", Tree.Scalar.text(namespace));
    }
    return object.with("metadata", metadata);
  }

  /** Metadata with a name: its own, or one made of generateName. */
  private Optional<Tree.Mapping> named(Tree.Mapping metadata) {
    if (!metadata.text("name").orElse("").isEmpty()) {
      return Optional.of(metadata);
    }
    return metadata
        .text("generateName")
        .filter(prefix -> !prefix.isEmpty())
        .map(prefix ->
            metadata.with(
                "name", Json.text(prefix + Long.toString(store.version() + 1_000_000, 36))));
  }

  private static StatusException notAllowed(Request request) {
    return new StatusException(
        405, "MethodNotAllowed", request.method() + " is not allowed on " + request.path());
  }
}
