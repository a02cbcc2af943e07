package dev.sund.lab.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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
  private final Map<String, LongAdder> requests = new ConcurrentHashMap<>();

  Router(Store store, Lists lists, Watches watches) {
    this.store = store;
    this.lists = lists;
    this.watches = watches;
  }

  /** What a path names; the empty string where it names nothing. */
  private record Target(Resource resource, String namespace, String name, String subresource) {
    String key() {
      return namespace.isEmpty() ? name : namespace + "/" + name;
    }

    String rbacResource() {
      return subresource.isEmpty() ? resource.plural() : resource.plural() + "/" + subresource;
    }
  }

  void answer(
      Request request,
      Response response,
      Subject caller,
      Optional<Rbac> rbac,
      Set<Resource> served,
      BooleanSupplier open)
      throws StatusException, IOException, InterruptedException {
    if (HEALTH.contains(request.path())) {
      response.whole(200, "text/plain", "ok".getBytes(StandardCharsets.UTF_8));
      return;
    }
    Optional<Tree> discovery = Discovery.document(request.path(), served);
    if (discovery.isPresent()) {
      response.whole(200, discovery.get());
      return;
    }
    Target target = target(request.path(), served);
    boolean watch = request.isTrue("watch");
    String verb = verb(request, target, watch);
    permit(caller, rbac, target, verb);
    requests.computeIfAbsent(verb + target.resource, _ -> new LongAdder()).increment();
    switch (verb) {
      case "get" -> {
        Stored object =
            store
                .get(target.resource, target.key())
                .orElseThrow(() -> StatusException.notFound(target.resource, target.name));
        response.whole(200, "application/json", object.json());
      }
      case "list" -> {
        byte[] list = lists.list(target.resource, selector(request, target), request);
        response.whole(200, "application/json", list);
      }
      case "watch" ->
          watches.serve(target.resource, selector(request, target), request, response, open);
      case "create" -> {
        Stored made = store.create(target.resource, body(request, target));
        response.whole(201, "application/json", made.json());
      }
      case "update" -> {
        boolean status = target.subresource.equals("status");
        Stored changed = store.replace(target.resource, body(request, target), status);
        response.whole(200, "application/json", changed.json());
      }
      case "delete" -> {
        Stored last = store.delete(target.resource, target.key());
        response.whole(200, "application/json", last.json());
      }
      default -> throw notAllowed(request);
    }
  }

  long requestsOf(String verb, Resource resource) {
    LongAdder count = requests.get(verb + resource);
    return count == null ? 0 : count.sum();
  }

  private static Target target(String path, Set<Resource> served) throws StatusException {
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
      case "DELETE" -> {
        if (!named) {
          throw notAllowed(request);
        }
        yield "delete";
      }
      default -> throw notAllowed(request);
    };
  }

  private static void permit(Subject caller, Optional<Rbac> rbac, Target target, String verb)
      throws StatusException {
    Rbac.Attempt attempt =
        new Rbac.Attempt(
            verb, target.resource.group(), target.rbacResource(), target.namespace, target.name);
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

  private static Tree.Mapping body(Request request, Target target) throws StatusException {
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
        object
            .mapping("metadata")
            .filter(meta -> !meta.text("name").orElse("").isEmpty())
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

  private static StatusException notAllowed(Request request) {
    return new StatusException(
        405, "MethodNotAllowed", request.method() + " is not allowed on " + request.path());
  }
}
