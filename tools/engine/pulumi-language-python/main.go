// The host of Python programs and plugins for an engine that is built here.
//
// The official host of this version is in a module that is not published. This one does what `pulumi` asks of it, with
// packages that are: the SDK's `toolchain` knows virtual environments and pip, `codegen/python` writes SDKs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/codegen/hcl2/syntax"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	codegen "github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// How a program ends whose error the user has seen already (pulumi-language-python-exec).
const errorShown = 32

// Prints each pulumi-plugin.json of the environment on a line: the plugins that installed SDKs need.
const listPlugins = `
import glob, json, sys
for folder in sys.path:
    for file in glob.glob("*/pulumi-plugin.json", root_dir=folder or "."):
        with open(f"{folder or '.'}/{file}", encoding="utf-8") as text:
            print(json.dumps(json.load(text)))
`

type host struct {
	rpc.UnimplementedLanguageRuntimeServer
	engine string
}

func main() {
	engine := os.Args[len(os.Args)-1]
	served, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Init: func(server *grpc.Server) error {
		rpc.RegisterLanguageRuntimeServer(server, &host{engine: engine})
		return rpcutil.Healthcheck(context.Background(), engine, time.Minute, func() { os.Exit(1) })
	}})
	if err == nil {
		fmt.Println(served.Port)
		err = <-served.Done
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// environment is the one that the options of Pulumi.yaml or PulumiPlugin.yaml name.
func environment(info *rpc.ProgramInfo, isPlugin bool) (toolchain.Toolchain, error) {
	options := toolchain.PythonOptions{Root: info.GetRootDirectory(), ProgramDir: info.GetProgramDirectory()}
	given := info.GetOptions().AsMap()
	options.Virtualenv, _ = given["virtualenv"].(string)
	switch name := given["toolchain"]; name {
	case nil:
	case "pip":
		options.Toolchain = toolchain.Pip
	case "poetry":
		options.Toolchain = toolchain.Poetry
	case "uv":
		options.Toolchain = toolchain.Uv
	default:
		return nil, fmt.Errorf("runtime.options.toolchain must be pip, poetry or uv; got %v", name)
	}
	if isPlugin && options.Virtualenv == "" && options.Toolchain <= toolchain.Pip {
		options.Virtualenv = "venv" // a plugin never has the environment of the program
	}
	return toolchain.ResolveToolchain(options)
}

// ---- programs ----

func (h *host) Run(ctx context.Context, req *rpc.RunRequest) (*rpc.RunResponse, error) {
	python, err := environment(req.Info, false)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := python.Command(ctx, append([]string{
		self + "-exec",
		"--monitor", req.MonitorAddress,
		"--engine", h.engine,
		"--project", req.Project,
		"--stack", req.Stack,
		"--pwd", req.Pwd,
		"--root_directory", req.Info.RootDirectory,
		"--dry_run", strconv.FormatBool(req.DryRun),
		"--parallel", strconv.Itoa(int(req.Parallel)),
		"--organization", req.Organization,
		req.Info.EntryPoint,
	}, req.Args...)...)
	if err != nil {
		return nil, err
	}
	config := map[string]string{}
	maps.Copy(config, req.Config)
	configText, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(append([]string{}, req.ConfigSecretKeys...))
	if err != nil {
		return nil, err
	}
	program.Env = append(program.Environ(),
		"PULUMI_CONFIG="+string(configText), "PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys))
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	err = program.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return &rpc.RunResponse{}, nil
	case !errors.As(err, &ended):
		return nil, fmt.Errorf("starting %s: %w", program.Path, err)
	case ended.ExitCode() == errorShown:
		return &rpc.RunResponse{Bail: true}, nil
	default:
		return &rpc.RunResponse{Error: fmt.Sprintf("program exited with non-zero exit code: %d", ended.ExitCode())}, nil
	}
}

func (h *host) GetRequiredPackages(
	ctx context.Context, req *rpc.GetRequiredPackagesRequest,
) (*rpc.GetRequiredPackagesResponse, error) {
	python, err := environment(req.Info, false)
	if err != nil {
		return nil, err
	}
	if err := python.EnsureVenv(ctx, req.Info.ProgramDirectory, false, false, io.Discard, io.Discard); err != nil {
		return nil, err
	}
	command, err := python.Command(ctx, "-c", listPlugins)
	if err != nil {
		return nil, err
	}
	lines, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the plugins of %s: %w", command.Path, err)
	}
	answer := &rpc.GetRequiredPackagesResponse{}
	for line := range strings.Lines(string(lines)) {
		var found plugin.PulumiPluginJSON
		if err := json.Unmarshal([]byte(line), &found); err != nil {
			return nil, err
		}
		if found.Resource && found.Name != "" {
			answer.Packages = append(answer.Packages, &rpc.PackageDependency{
				Name: found.Name, Kind: "resource", Version: found.Version, Server: found.Server,
			})
		}
	}
	return answer, nil
}

func (h *host) InstallDependencies(
	req *rpc.InstallDependenciesRequest, stream grpc.ServerStreamingServer[rpc.InstallDependenciesResponse],
) error {
	python, err := environment(req.Info, req.IsPlugin)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, req.IsTerminal)
	if err != nil {
		return err
	}
	err = python.InstallDependencies(
		stream.Context(), req.Info.ProgramDirectory, req.UseLanguageVersionTools, true, stdout, stderr)
	return errors.Join(err, closer.Close())
}

func (h *host) GetProgramDependencies(
	ctx context.Context, req *rpc.GetProgramDependenciesRequest,
) (*rpc.GetProgramDependenciesResponse, error) {
	python, err := environment(req.Info, false)
	if err != nil {
		return nil, err
	}
	found, err := python.ListPackages(ctx, req.TransitiveDependencies)
	if err != nil {
		return nil, err
	}
	answer := &rpc.GetProgramDependenciesResponse{}
	for _, each := range found {
		answer.Dependencies = append(answer.Dependencies, &rpc.DependencyInfo{Name: each.Name, Version: each.Version})
	}
	return answer, nil
}

func (h *host) About(ctx context.Context, req *rpc.AboutRequest) (*rpc.AboutResponse, error) {
	python, err := environment(req.Info, false)
	if err != nil {
		return nil, err
	}
	// The engine asks at every command, and `toolchain.About` would start pip for its version.
	asked, err := python.Command(ctx, "-I", "-S", "-c", "import platform, sys; print(sys.executable, platform.python_version(), sep='\\n')")
	if err != nil {
		return nil, err
	}
	said, err := asked.Output()
	if err != nil {
		return nil, fmt.Errorf("asking %s for its version: %w", asked.Path, err)
	}
	executable, version, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return &rpc.AboutResponse{Executable: executable, Version: version}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	return &rpc.PluginInfo{Version: version.Version}, nil
}

// ---- plugins and their SDKs ----

func (h *host) RunPlugin(req *rpc.RunPluginRequest, stream grpc.ServerStreamingServer[rpc.RunPluginResponse]) error {
	python, err := environment(req.Info, true)
	if err != nil {
		return err
	}
	if err := python.ValidateVenv(stream.Context()); err != nil {
		return err
	}
	folder, err := python.VirtualEnvPath(stream.Context())
	if err != nil {
		return err
	}
	program, err := python.Command(stream.Context(), append([]string{req.Info.ProgramDirectory}, req.Args...)...)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(stream, false)
	if err != nil {
		return err
	}
	program.Dir, program.Stdout, program.Stderr = req.Pwd, stdout, stderr
	program.Env = toolchain.ActivateVirtualEnv(req.Env, folder)
	err = program.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		code := &rpc.RunPluginResponse_Exitcode{Exitcode: int32(ended.ExitCode())}
		err = stream.Send(&rpc.RunPluginResponse{Output: code})
	}
	return errors.Join(err, closer.Close())
}

func (h *host) GeneratePackage(
	_ context.Context, req *rpc.GeneratePackageRequest,
) (*rpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(req.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(req.Schema), &spec); err != nil {
		return nil, err
	}
	cached := schema.NewCachedLoader(loader)
	bound, problems, err := schema.BindSpec(spec, cached, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return nil, err
	}
	answer := &rpc.GeneratePackageResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(problems)}
	if problems.HasErrors() {
		return answer, nil
	}
	files, err := codegen.GeneratePackage("pulumi-language-python", bound, req.ExtraFiles, cached)
	if err != nil {
		return nil, err
	}
	for name, content := range files {
		file := filepath.Join(req.Directory, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// GenerateProgram writes the program of what `pulumi import` imported.
func (h *host) GenerateProgram(
	_ context.Context, req *rpc.GenerateProgramRequest,
) (*rpc.GenerateProgramResponse, error) {
	loader, err := schema.NewLoaderClient(req.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	parser := syntax.NewParser()
	for name, source := range req.Source {
		if err := parser.ParseFile(strings.NewReader(source), name); err != nil {
			return nil, err
		}
	}
	if parser.Diagnostics.HasErrors() {
		return nil, parser.Diagnostics
	}
	options := []pcl.BindOption{pcl.PreferOutputVersionedInvokes}
	if !req.Strict {
		options = append(options, pcl.NonStrictBindOptions()...)
	}
	program, problems, err := pcl.BindProgram(parser.Files, schema.NewCachedLoader(loader), options...)
	if err != nil {
		return nil, err
	}
	answer := &rpc.GenerateProgramResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(problems)}
	if problems.HasErrors() {
		return answer, nil
	}
	answer.Source, problems, err = codegen.GenerateProgram(program)
	answer.Diagnostics = append(answer.Diagnostics, plugin.HclDiagnosticsToRPCDiagnostics(problems)...)
	return answer, err
}

// Link adds generated SDKs to the program's requirements.
func (h *host) Link(ctx context.Context, req *rpc.LinkRequest) (*rpc.LinkResponse, error) {
	python, err := environment(req.Info, false)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for _, each := range req.Packages {
		paths[each.Package.Name] = each.Path
	}
	return &rpc.LinkResponse{}, python.LinkPackages(ctx, paths)
}
